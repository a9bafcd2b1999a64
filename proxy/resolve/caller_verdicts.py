"""Who calls: control's verdicts on what callers prove themselves with, remembered.

`authenticate` asks here. A verdict is kept under the SHA-256 of the whole credential and never outlives the
credential's expiry. Credentials that control does not know have a small memory of their own and a budget, so that a
flood of them costs known callers nothing.
"""

import time
from collections.abc import Awaitable, Callable
from math import inf

from core import redis_names
from core.keys import KeyRing
from core.resolve import CallerQuestion, CallerVerdict, Proof, TokenProof
from core.tasks import Tasks
from proxy.caches.bounded import Bounded
from proxy.caches.layered import LayeredCache
from proxy.caches.two_ages import Aged, Rest
from proxy.limits.budget import Budget
from proxy.redis import Redis
from proxy.refusals import Refusal
from proxy.resolve.control_client import ControlClient, room_of
from proxy.resolve.refreshes import GATHERED_S, Refreshes

_SIZE = 50_000
_UNKNOWN_SIZE = 20_000
_UNKNOWN_S = 10.0
Put = Callable[[CallerQuestion], Awaitable[CallerVerdict]]
"""A way to ask control."""


class Authority:
    """Control's verdicts on callers, remembered; strangers have a small memory and a budget of their own."""

    def __init__(
        self,
        control: ControlClient,
        redis: Redis,
        ring: KeyRing,
        *,
        soft: float,
        hard: float,
        unknown_per_second: float,
        tasks: Tasks,
        gathered: float = GATHERED_S,
    ) -> None:
        self._control = control
        self.refreshes = Refreshes[CallerQuestion, CallerVerdict](
            "callers", control.caller, control.callers, tasks, room_of=room_of
        )
        self.budget = Budget(unknown_per_second)
        self.verdicts: LayeredCache[CallerVerdict] = LayeredCache(
            "verdicts",
            CallerVerdict,
            size=_SIZE,
            soft=soft,
            hard=hard,
            ring=ring,
            redis=redis,
            redis_name=redis_names.verdict_key(""),
            tasks=tasks,
            patience=control.pulse.patience,
            gathered=gathered,
        )
        self._unknown: Bounded[str, float] = Bounded(_UNKNOWN_SIZE)

    def known(self, proof: Proof) -> CallerVerdict | None:
        """The verdict if it is in memory and fresh. No waiting: the warm path."""
        digest = proof.digest
        verdict = self.verdicts.memory.young(digest)
        if verdict is None:
            verdict = self.verdicts.fresh(digest, lambda known: self._ask(proof, "", known, self.refreshes.ask))
            if verdict is None:
                return None
        return verdict if verdict.expires is None or verdict.expires > time.time() else None

    def rest(self, digest: str) -> Rest[CallerVerdict] | None:
        """What `known` has given just now, for who rests on it for a while."""
        return self.verdicts.memory.rest(digest)

    def refused_lately(self, digest: str) -> bool:
        """Whether control refused the credential with this digest a moment ago."""
        until = self._unknown.peek(digest)
        return until is not None and until > time.monotonic()

    async def verdict(self, proof: Proof, address: str) -> CallerVerdict:
        """The verdict, asked for if need be: who bears it, or that it is not for gateways (`kept_out`).

        Raises SourceUnreachable where nobody can tell, Refusal `too_many_unknown` beyond the strangers' budget.
        """
        verdict = await self.verdicts.get(
            proof.digest, lambda known: self._ask(proof, address, known, self._control.caller)
        )
        if not _unexpired(verdict):  # it expired while it was asked for
            raise Refusal("not_authenticated", detail="expired", presented=True)
        return verdict

    def remembers(self, digest: str) -> bool:
        """Whether a verdict that has not expired is in memory, however old.

        If not, a change of the credential or its bearer may have been announced, or room was made for others: ask.
        """
        return not self.verdicts.memory.expired(digest)

    async def forget(self, digest: str) -> None:
        """Forget a credential whose change was announced."""
        self._unknown.pop(digest)
        await self.verdicts.drop(digest)

    async def forget_principal(self, kind: str, identifier: str) -> None:
        """Forget every verdict that rests on a user, a team or somebody without an account that changed."""
        self._unknown.clear()

        def concerns(_: str, verdict: CallerVerdict) -> bool:
            principal = verdict.principal or verdict.kept_out
            if principal is None:
                return False
            return (principal.kind, principal.id) == (kind, identifier) or identifier in principal.teams

        await self.verdicts.drop_where(concerns)

    async def forget_grant(self, identifier: str) -> None:
        """Forget the access tokens of a grant that has ended or changed."""
        await self._forget_signed(lambda verdict: verdict.auth == "oauth" and verdict.credential_id == identifier)

    async def forget_client(self, client: str) -> None:
        """Forget the access tokens of an OAuth client that has ended or changed, and the jobs that call as it."""
        await self._forget_signed(lambda verdict: verdict.auth != "token" and verdict.client == client)

    async def forget_providers_tokens(self) -> None:
        """Forget the tokens of identity providers, of which one has changed, and those of ours that one vouched for;
        verdicts do not say of which.
        """
        await self._forget_signed(lambda verdict: verdict.way in ("jwt", "id_jag"))

    async def _forget_signed(self, concerns: Callable[[CallerVerdict], bool]) -> None:
        self._unknown.clear()
        await self.verdicts.drop_where(lambda _, verdict: concerns(verdict))

    def doubt(self) -> None:
        """News may have been missed: ask again before a remembered verdict is used."""
        self.verdicts.memory.doubt_all()

    async def _ask(self, proof: Proof, address: str, known: bool, put: Put) -> Aged[CallerVerdict]:
        digest = proof.digest
        # Whoever bears a signed token is no stranger: nobody asks before its signature was found good.
        if not known and isinstance(proof, TokenProof) and not self.budget.take(address):
            raise Refusal("too_many_unknown", retry_after=1)
        asked = time.monotonic()
        verdict = await put(CallerQuestion.of(proof))
        if not verdict.is_about(proof) or (verdict.principal is None and verdict.kept_out is None):
            self._unknown.put(digest, time.monotonic() + _UNKNOWN_S)
            self.verdicts.memory.stands_no_more(digest)  # it is held until the copy in Redis is gone, too
            why = verdict.why or True
            raise Refusal("not_authenticated", detail=verdict.refusal, presented=why, of_token=verdict.said)
        return Aged(verdict, asked, inf if verdict.expires is None else verdict.expires)


def _unexpired(verdict: CallerVerdict) -> bool:
    return verdict.expires is None or verdict.expires > time.time()
