"""One renewal of one account, from the lease to what it comes to, so that nobody is lost on the way.

Called by `renewals.py`, once at a time for an installation in this process. New tokens are stored before anything
else is looked at. A no is believed when it is said twice and nobody has stored newer tokens in between; whatever else
comes (nobody answers, 429, 5xx, a page) signs nobody out, and the provider is left alone for a while.
"""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from control.accounts import no_token
from control.accounts.lease import Ended, Held, Leased, Leases
from control.accounts.next_tokens import Answered, Next, NextTokens, is_final
from control.accounts.times import rest_after
from control.credentials.lacks import WORDS
from control.credentials.upstream_oauth.token_request import Away, Refused
from control.providers.asking import DEADLINE_S
from control.registry.account import Account
from control.store.lease_waits import once_free, stored_at_last
from control.store.pool import StoreConflict, StoreUnavailable
from control.telemetry.metrics import Outcome
from core.resolve import InstallationRefusal
from core.sealing import SealBroken

log = logging.getLogger(__name__)

AGAIN_AFTER_S: Final = 1.0
"""Between a provider's no and the second question: one part of it may hear of a token later than another."""
_ENDED: Final = "has a sign-in that has ended, and its provider gave nothing to renew it with"
_SIGNED_OUT: Final = WORDS["signed_out"].because
_REFUSED_CLIENT: Final = "has a client that its provider does not take"
_ANOTHERS: Final = "was renewed by its provider for another person, whose tokens are not used"


@dataclass(frozen=True, slots=True)
class Came:
    """What a renewal came to: an account with a token, or why there is none."""

    account: Account | None = None
    refusal: InstallationRefusal | None = None
    by_us: bool = False
    """Whether the token was got here, and not by another process in the meantime."""

    @property
    def outcome(self) -> Outcome:
        """The word under which it is counted."""
        if self.refusal is None:
            return "renewed" if self.by_us else "adopted"
        if self.refusal.code == "installation_gone":
            return "gone"
        return "away" if self.is_away else "refused"

    @property
    def is_away(self) -> bool:
        """Whether the provider is the reason, so that others of it need not be tried now."""
        return self.refusal is not None and self.refusal.code == "provider_away"


class OneRenewal:
    """Renews an account; it needs its lease, and who asks providers."""

    def __init__(self, leases: Leases, tokens: NextTokens, luck: Callable[[], float]) -> None:
        self._leases, self._next, self._luck = leases, tokens, luck

    async def of(self, installation_id: str, known: int) -> Came:
        """An account of a version above `known` (0: there is none yet), or why not. Raises StoreUnavailable."""
        found = await once_free(lambda: self._leases.take(installation_id, known), Held, self._luck)
        match found:
            case Account():
                return Came(found)
            case InstallationRefusal():
                return Came(refusal=found)
            case Held():
                return Came(refusal=no_token.under_way(found.entry, found.installation))
            case Ended():
                return await self._signed_out(found, _ENDED, "its provider gave no refresh token")
        answer = await self._answer(found)
        return Came(answer) if isinstance(answer, Account) else await self._come_to(found, answer)

    async def _answer(self, leased: Leased) -> Answered | Account:
        """What the provider says, asked once more where no answer came and where it says no; or the account that
        somebody else has renewed meanwhile.
        """
        answer = await self._asked(leased)
        if isinstance(answer, Away) and not answer.answered:
            # It may have given tokens, and nobody has them. Providers that know of this take the old one once more.
            answer = await self._asked(leased, answer)
        if not (isinstance(answer, Refused) and is_final(answer, leased)):
            return answer
        await asyncio.sleep(AGAIN_AFTER_S)
        return await self._newer(leased) or await self._asked(leased, answer)

    async def _asked(self, leased: Leased, before: Answered | None = None) -> Answered:
        """One answer, in what is left of the lease; where nothing is left, the one `before`."""
        left = leased.left
        slow = Away(why="the provider was too slow", answered=True)
        if left < DEADLINE_S / 2:
            return before or slow
        try:
            async with asyncio.timeout(left):
                return await self._next.asked(leased)
        except TimeoutError:
            return slow
        except SealBroken:
            log.exception("a client's secret cannot be opened", extra=_told(leased))
            return Refused(error="unfit", sentence="the secret of the client cannot be read any more")

    async def _come_to(self, leased: Leased, answer: Answered) -> Came:
        match answer:
            case Next(is_anothers=True):
                return await self._signed_out(leased, _ANOTHERS, "its provider answered for another person")
            case Next():
                return await self._kept(leased, answer)
            case Away():
                return await self._failed(leased, answer.why, answer.retry_after)
            case Refused() if is_final(answer, leased):
                because = _SIGNED_OUT if answer.is_invalid_grant else _REFUSED_CLIENT
                return await self._signed_out(leased, because, answer.sentence)
            case Refused():
                why = f"{answer.sentence}; an admin has to look at the entry's provider and client"
                return await self._failed(leased, why, 0.0)

    async def _kept(self, leased: Leased, came: Next) -> Came:
        """Store the tokens, before anything else; they are nowhere else, so a database that is away is waited for."""
        try:
            return await stored_at_last(lambda: self._stored(leased, came))
        except StoreConflict:
            return Came(refusal=no_token.gone())
        except StoreUnavailable:
            log.exception("new tokens could not be stored and are lost", extra=_told(leased))
            raise

    async def _stored(self, leased: Leased, came: Next) -> Came:
        kept = await self._leases.keep(leased, came.account, self._next.clock())
        account = kept or await self._leases.newest(leased.installation.id)
        log.info("an account was renewed", extra=_told(leased) | {"outcome": "granted" if kept else "overtaken"})
        return Came(account, by_us=kept is not None) if account is not None else Came(refusal=no_token.gone())

    async def _failed(self, leased: Leased, why: str, retry_after: float) -> Came:
        account = leased.account
        log.warning("an account could not be renewed", extra=_told(leased) | {"outcome": "failed", "why": why})
        if account is not None:
            rest = rest_after(account.failing_since, self._next.clock(), retry_after, self._luck())
            if not await self._leases.fail(leased, why, rest) and (newer := await self._newer(leased)) is not None:
                return Came(newer)
        return Came(refusal=no_token.away(leased.entry, leased.installation, why))

    async def _signed_out(self, of: Leased | Ended, because: str, why: str) -> Came:
        """Nobody asks with this account again until a person signs in; but not where somebody has renewed it."""
        refusal = no_token.signed_out(of.entry, of.installation, because)
        if of.account is not None:
            refused = await self._leases.refuse(of.account, why, refusal.sentence)
            if not refused and (newer := await self._newer(of)) is not None:
                return Came(newer)
        log.warning("an account needs a sign-in", extra=_told(of) | {"outcome": "refused", "why": why})
        return Came(refusal=refusal)

    async def _newer(self, of: Leased | Ended) -> Account | None:
        """The account, where somebody has given it newer tokens."""
        found = await self._leases.newest(of.installation.id)
        version = 0 if of.account is None else of.account.version
        return found if found is not None and found.version > version and found.refused_at is None else None


def _told(of: Leased | Ended) -> dict[str, str]:
    return {"installation": of.installation.id, "entry": of.entry.slug}
