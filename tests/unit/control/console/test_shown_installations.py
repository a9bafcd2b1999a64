"""An installation in words: its state, what helps, whose it is, who can use it."""

from __future__ import annotations

from typing import get_args

import pytest

from control.console.shown_installations import STATES, ShownInstallation, who_can_use, whose
from control.registry.installation import InstallationState
from control.registry.owner import Organisation, Owner, Person, TeamOwner
from tests.fakes.registry import an_installation


@pytest.mark.parametrize("state", get_args(InstallationState))
def test_every_state_has_a_word_and_what_helps(state: InstallationState) -> None:
    shown = ShownInstallation(an_installation(state=state, state_reason="Because."), "static")
    assert shown.state == STATES[state]
    assert (shown.cure == "") == (state == "ready")
    assert shown.cause == "Because."


def test_where_a_person_signs_in_at_the_provider_they_are_sent_there() -> None:
    shown = ShownInstallation(an_installation(state="needs_sign_in"), "oauth")
    assert shown.state == ("needs sign-in", "warn")
    assert (shown.signs_in, shown.sign_in_path) == (True, "/install/github?as=organisation&installation=i1")
    assert shown.cure == "Sign in at the provider again."
    assert not ShownInstallation(an_installation(), "static").signs_in


@pytest.mark.parametrize(
    ("owner", "told", "serves"),
    [
        (Person("me"), "yours", "You alone"),
        (Person("her"), "bea@example.com", "bea@example.com alone"),
        (TeamOwner("t"), "the team bea@example.com", "Members of the team"),
        (Organisation(), "the organisation", "Everybody for whom"),
    ],
)
def test_whose_it_is_and_who_can_use_it_is_said_in_words(owner: Owner, told: str, serves: str) -> None:
    assert whose(owner, "bea@example.com", "me") == told
    assert who_can_use(owner, "bea@example.com", "me").startswith(serves)
    one = ShownInstallation(an_installation(owner=owner, owner_name="bea@example.com"), "none")
    assert (one.whose("me"), one.kind_label) == (told, "None")
