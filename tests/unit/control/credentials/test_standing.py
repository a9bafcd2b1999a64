"""How an installation stands: a word, why, and what helps."""

from __future__ import annotations

from typing import Any, get_args

import pytest

from control.credentials.places import account_place
from control.credentials.standing import Standing, standing_of
from control.registry.account import Account
from control.registry.credential import OAuthCredential
from control.registry.installation import InstallationState
from core.egress.held import Held
from core.egress.rules import EgressRules
from tests.fakes.registry import BEARER, MADE_AT, an_account, an_entry, an_installation

ENTRY = an_entry(slug="crm", credential=BEARER)
SIGNED_IN = an_entry(slug="crm", credential=OAuthCredential())
GIVE = "Run `archway installations update github@organisation --credential`, or ask an administrator."


def stands(**changes: Any) -> Standing:
    return standing_of(ENTRY, an_installation(**changes))


def account(**changes: Any) -> Account:
    return an_account(**{"place": account_place(SIGNED_IN, an_installation()), **changes})


@pytest.mark.parametrize(
    ("changes", "word", "cause", "cure"),
    [
        ({"state": "ready"}, "ready", "", ""),
        ({"state": "new"}, "not_asked", "Its server was not asked yet.",
         "`archway installations discover github@organisation` asks it."),
        ({"state": "unreachable", "state_reason": "It is away."}, "unreachable", "It is away.",
         "When that is mended, `archway installations discover github@organisation` asks it again."),
        ({"state": "needs_sign_in"}, "needs_sign_in", "It must be given its credential, or answers, again.", GIVE),
        ({"state": "needs_sign_in", "secret_names": ("credential",), "state_reason": f"It moved. {GIVE}"},
         "needs_sign_in_again", "It moved.", GIVE),
        ({"state": "needs_sign_in", "discovered_at": MADE_AT}, "needs_sign_in_again",
         "It must be given its credential, or answers, again.", GIVE),
        ({"state": "credential_refused", "secret_names": ("credential",), "state_reason": "401."},
         "needs_sign_in_again", "401.", GIVE),
    ],
)  # fmt: skip
def test_each_state_has_its_word_its_cause_and_its_cure(
    changes: dict[str, Any], word: str, cause: str, cure: str
) -> None:
    found = stands(**changes)
    assert (found.word, found.cause, found.cure) == (word, cause, cure)


@pytest.mark.parametrize("state", get_args(InstallationState))
def test_what_is_not_ready_says_why_and_what_helps(state: InstallationState) -> None:
    found = stands(state=state)
    assert bool(found.cause) == bool(found.cure) == (state != "ready")


def test_tools_that_changed_are_told_of_one_that_is_ready_and_of_no_other() -> None:
    names = [f"t{number}" for number in range(7)]
    found = standing_of(ENTRY, an_installation(), None, names)
    assert found.word == "tools_changed"
    assert found.cause == "7 tools of crm changed since somebody approved them: t0, t1, t2, t3, t4 and 2 more."
    assert "`archway entries changes crm`" in found.cure
    assert standing_of(ENTRY, an_installation(), None, ["a"]).cause.startswith("1 tool of crm changed")
    assert standing_of(ENTRY, an_installation(state="unreachable"), None, ["a"]).word == "unreachable"


@pytest.mark.parametrize(
    ("held", "state", "word", "cause"),
    [
        (None, "new", "needs_sign_in", "Nobody has signed in"),
        (None, "ready", "needs_sign_in", "Nobody has signed in"),
        (account(), "ready", "ready", ""),
        (account(), "new", "not_asked", "Its server was not asked"),
        (account(refused_at=MADE_AT, fault="It says invalid_grant."), "ready", "needs_sign_in_again",
         "Its provider does not know this sign-in any more. It says invalid_grant."),
        (account(place="elsewhere"), "ready", "needs_sign_in_again", "Its server or its provider has"),
        (account(), "credential_refused", "needs_sign_in_again", "Its server does not take"),
        (account(), "unreachable", "unreachable", "Its server cannot be reached"),
    ],
)  # fmt: skip
def test_where_a_person_signs_in_the_account_decides_first(
    held: Account | None, state: str, word: str, cause: str
) -> None:
    found = standing_of(SIGNED_IN, an_installation(state=state), held)
    assert found.word == word
    assert found.cause.startswith(cause)
    assert ("`/install/github?installation=i1`" in found.cure) == word.startswith("needs_sign_in")


def test_answers_that_make_no_address_any_more_ask_for_another_sign_in() -> None:
    broken = an_entry("https://{place}.test/mcp", credential=OAuthCredential())
    assert standing_of(broken, an_installation(), account()).word == "needs_sign_in_again"


@pytest.mark.parametrize("state", get_args(InstallationState))
def test_what_a_policy_shuts_out_is_told_so_whatever_else_it_lacks(state: InstallationState) -> None:
    entry = an_entry(slug="crm", credential=BEARER, held=Held(EgressRules("off"), "Production"))
    found = standing_of(entry, an_installation(state=state))
    assert found.word == "shut_out"
    assert "github.test:443, which the egress policy of the environment Production does not allow" in found.cause
    assert found.cure == "Allow github.test:443 there, or move the entry crm to another environment."
