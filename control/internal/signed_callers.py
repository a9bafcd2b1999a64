"""Who bears a signed token, asked of whoever judges tokens of its issuer; and that issuer's keys for proxies.

Called by `questions.py`. Each kind of issuer has one judge: our own authorization server, and the identity providers
of the registry. A token names its issuer; that decides only who judges it. What nobody judges is unknown.
"""

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

from control.store.pool import Connection, StoreConflict, StoreUnavailable
from core.jwt import TokenRefused, named_issuer
from core.key_sets import KeySetAnswer, KeySetQuestion
from core.resolve import CallerVerdict, JwtProof

log = logging.getLogger(__name__)


class Judge(Protocol):
    """Judges the signed tokens of some issuers, and knows their keys."""

    def judges(self, issuer: str) -> bool:
        """Whether tokens that name this issuer are its to judge. The first judge that says so has the last word."""

    async def verdict(self, proof: JwtProof) -> CallerVerdict:
        """Who bears the token; everything about it is checked. Raises StoreUnavailable."""

    async def accepts(self, connection: Connection, proof: JwtProof, gateway_id: str) -> bool:
        """Whether a token that has a verdict was made for this gateway, as that is now."""

    async def answer(self, question: KeySetQuestion) -> KeySetAnswer:
        """The signed key set of the issuer."""


@dataclass(frozen=True, slots=True)
class SignedCallers:
    """Finds the judge of each signed token. Without any judges, every signed token is unknown."""

    judges: tuple[Judge, ...] = ()

    async def verdict(self, proof: JwtProof) -> CallerVerdict:
        """Who bears the token, or that nobody is known to; raises StoreUnavailable, StoreConflict."""
        judge = self._judge_of(proof)
        if judge is None:
            return CallerVerdict(proof.digest, refusal="unknown", auth="jwt")
        return await judge.verdict(proof)

    async def verdicts(self, proofs: Iterable[JwtProof]) -> Mapping[str, CallerVerdict]:
        """The same of many, by digest; one that cannot be judged is left out. Raises StoreUnavailable."""
        found: dict[str, CallerVerdict] = {}
        for proof in proofs:
            try:
                found[proof.digest] = await self.verdict(proof)
            except (StoreUnavailable, StoreConflict):
                raise
            except Exception:
                log.exception("a signed token of a list cannot be judged")
        return found

    async def accepts(self, connection: Connection, proof: JwtProof, gateway_id: str) -> bool:
        """Whether the token was made for this gateway, as that is now."""
        judge = self._judge_of(proof)
        return judge is not None and await judge.accepts(connection, proof, gateway_id)

    async def key_set(self, question: KeySetQuestion) -> KeySetAnswer:
        """The signed key set of an issuer; without a document where there is no such issuer."""
        judge = next((one for one in self.judges if one.judges(question.issuer)), None)
        return KeySetAnswer() if judge is None else await judge.answer(question)

    def _judge_of(self, proof: JwtProof) -> Judge | None:
        try:
            issuer = named_issuer(proof.jwt)
        except TokenRefused:
            return None
        return next((one for one in self.judges if one.judges(issuer)), None)
