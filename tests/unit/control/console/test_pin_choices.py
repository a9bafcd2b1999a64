"""How an installation is called where a pin is chosen. What is offered: `tests/console/test_gateways.py`."""

from __future__ import annotations

import pytest

from control.console.pin_choices import label_of
from control.registry.installation import InstallationState
from tests.fakes.registry import an_installation


@pytest.mark.parametrize(
    ("owner", "state", "label"),
    [
        ("organisation", "ready", "GitHub of the organisation"),
        ("Support", "ready", "GitHub of Support"),
        ("Support", "needs_sign_in", "GitHub of Support (needs sign in)"),
    ],
)
def test_a_choice_says_whose_it_is_and_what_keeps_it_from_working(
    owner: str, state: InstallationState, label: str
) -> None:
    assert label_of(an_installation(name="GitHub", owner_name=owner, state=state)) == label
