"""What `make keycloak` runs is not in `make test`; that its names are there still is seen all the same."""

from __future__ import annotations

from importlib import import_module

import pytest

from tests.house.tracked import tracked

TRIALS = sorted(path for path in tracked() if path.startswith("tests/keycloak/trial"))


@pytest.mark.parametrize("path", TRIALS)
def test_a_trial_can_be_read(path: str) -> None:
    import_module(path.removesuffix(".py").replace("/", "."))


def test_there_are_trials() -> None:
    assert len(TRIALS) > 3
