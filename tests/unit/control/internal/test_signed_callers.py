from __future__ import annotations

from typing import Any

import jwt
import pytest

from control.internal.signed_callers import SignedCallers
from control.store.pool import StoreUnavailable
from core.key_sets import KeySetAnswer, KeySetQuestion
from core.resolve import CallerVerdict, JwtProof, Principal

ANN = Principal("user", "u1", "Ann")


class OneIssuer:
    """A judge of one issuer's tokens, who finds every one good, or fails."""

    def __init__(self, issuer: str, fault: Exception | None = None) -> None:
        self._issuer, self._fault = issuer, fault

    def judges(self, issuer: str) -> bool:
        return issuer == self._issuer

    async def verdict(self, proof: JwtProof) -> CallerVerdict:
        if self._fault is not None:
            raise self._fault
        return CallerVerdict(proof.digest, ANN, self._issuer, auth="jwt")

    async def accepts(self, connection: Any, proof: JwtProof, gateway_id: str) -> bool:
        return gateway_id == self._issuer

    async def answer(self, question: KeySetQuestion) -> KeySetAnswer:
        return KeySetAnswer(question.issuer.encode())


BOTH = SignedCallers((OneIssuer("one"), OneIssuer("two")))


def of(issuer: str) -> JwtProof:
    return JwtProof.of(jwt.encode({"iss": issuer}, "k" * 32, algorithm="HS256"))


async def test_each_token_is_judged_by_the_judge_of_its_issuer() -> None:
    assert (await BOTH.verdict(of("two"))).credential_id == "two"
    assert await BOTH.accepts(None, of("one"), "one")
    assert not await BOTH.accepts(None, of("one"), "two")
    assert (await BOTH.key_set(KeySetQuestion("one"))).document == b"one"


@pytest.mark.parametrize("proof", [of("three"), JwtProof.of("a.b.c"), JwtProof.of("no token")])
async def test_a_token_that_nobody_judges_is_unknown(proof: JwtProof) -> None:
    verdict = await BOTH.verdict(proof)
    assert (verdict.digest, verdict.refusal, verdict.principal) == (proof.digest, "unknown", None)
    assert not await BOTH.accepts(None, proof, "one")


async def test_the_keys_of_an_issuer_that_nobody_knows_are_none() -> None:
    assert (await BOTH.key_set(KeySetQuestion("three"))).document == b""


async def test_of_many_one_that_cannot_be_judged_is_left_out() -> None:
    judges = SignedCallers((OneIssuer("one"), OneIssuer("broken", ValueError())))
    assert set(await judges.verdicts([of("one"), of("broken")])) == {of("one").digest}


async def test_a_database_that_is_away_is_no_verdict() -> None:
    judges = SignedCallers((OneIssuer("one", StoreUnavailable()),))
    with pytest.raises(StoreUnavailable):
        await judges.verdicts([of("one")])
