"""An installation in words: its state, what helps, whose it is, who can use it."""

from __future__ import annotations

from typing import Any, get_args

import pytest

from control.console.shown_installations import ShownInstallation, who_can_use, whose
from control.credentials.standing import Standing, StandingWord
from control.registry.installation import InstallationState
from control.registry.installation_states import STATE_WORDS
from control.registry.owner import Organisation, Owner, Person, ServiceAccount, TeamOwner
from tests.fakes.registry import an_installation


def shown(kind: str = "static", word: StandingWord = "ready", **changes: Any) -> ShownInstallation:
    return ShownInstallation(an_installation(**changes), kind, Standing(word, "Because."))


@pytest.mark.parametrize("state", get_args(InstallationState))
def test_every_state_has_a_word(state: InstallationState) -> None:
    assert shown(state=state).state == STATE_WORDS[state][:2]


@pytest.mark.parametrize("word", get_args(StandingWord))
def test_however_it_stands_it_says_why_and_what_helps(word: StandingWord) -> None:
    one = shown(word=word)
    assert (one.cure == "") == (word == "ready")
    assert one.cause == ("" if word == "not_asked" else "Because.")
    assert one.needs_somebody == (word in {"needs_sign_in", "needs_sign_in_again"})


def test_tools_that_changed_are_told_although_it_is_ready() -> None:
    assert shown(word="tools_changed").state == ("tools changed", "warn")


def test_what_a_policy_shuts_out_is_not_shown_as_ready() -> None:
    assert shown(word="shut_out").state == ("shut out", "bad")


def test_where_a_person_signs_in_at_the_provider_they_are_sent_there() -> None:
    for word, told in (("needs_sign_in", "needs sign-in"), ("needs_sign_in_again", "needs sign-in again")):
        one = shown("oauth", word, state="new")  # type: ignore[arg-type]  # from the table
        assert one.state == (told, "warn")
        assert (one.signs_in, one.sign_in_path) == (True, "/install/github?installation=i1")
        assert one.cure == "Sign in at the provider."
    assert not shown().signs_in


@pytest.mark.parametrize(
    ("owner", "told", "serves"),
    [
        (Person("me"), "yours", "You alone"),
        (Person("her"), "bea@example.com", "bea@example.com alone"),
        (TeamOwner("t"), "the team bea@example.com", "Members of the team"),
        (Organisation(), "the organisation", "Everybody for whom"),
        (ServiceAccount("c"), "the service account bea@example.com", "The service account bea@example.com alone"),
    ],
)
def test_whose_it_is_and_who_can_use_it_is_said_in_words(owner: Owner, told: str, serves: str) -> None:
    assert whose(owner, "bea@example.com", "me") == told
    assert who_can_use(owner, "bea@example.com", "me").startswith(serves)
    one = shown("none", owner=owner, owner_name="bea@example.com")
    assert (one.whose("me"), one.kind_label) == (told, "None")
