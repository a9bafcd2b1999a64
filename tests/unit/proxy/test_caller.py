from __future__ import annotations

import pytest

from core.resolve import CallerVerdict, Credential, Principal, TokenProof
from proxy.caller import STRANGER, Caller

ADA = Principal("user", "ada", "Ada")
PROOF = TokenProof("d")


def test_a_caller_is_the_verdict_and_the_proof_that_it_is_about() -> None:
    told = CallerVerdict("d", ADA, "grant", auth="oauth", client="c", scopes=frozenset({"mcp"}))
    caller = Caller(told, PROOF)
    assert (caller.principal, caller.key, caller.proof, caller.way) == (ADA, "user:ada", PROOF, "oauth")
    assert caller.credential == Credential("oauth", "grant", "c", frozenset({"mcp"}))


@pytest.mark.parametrize(
    ("caller", "key"),
    [(STRANGER, ""), (Caller(CallerVerdict("d", kept_out=ADA), PROOF), "user:ada")],
    ids=["a stranger", "kept out"],
)
def test_nobody_may_call_who_is_not_known_or_is_kept_out(caller: Caller, key: str) -> None:
    assert (caller.principal, caller.key) == (None, key)


def test_another_verdict_makes_another_caller_with_the_same_proof() -> None:
    before = Caller(CallerVerdict("d", ADA), PROOF)
    assert before.judged(before.verdict) is before
    now = before.judged(CallerVerdict("d", Principal("user", "ada", "Ada", frozenset({"red"}))))
    assert now.principal is not None
    assert (now.principal.teams, now.proof) == (frozenset({"red"}), PROOF)


def test_a_caller_is_told_without_the_digest_of_what_it_came_with() -> None:
    assert repr(Caller(CallerVerdict("digest", ADA), TokenProof("digest"))) == "Caller(user:ada, token)"
