"""Tells providers of tokens that nobody uses any more (RFC 7009), after they are gone here.

Run by `control/replica.py` in every replica. A provider that is away is asked again, later each time, for a day; then
it is given up. So is one that knows neither the tokens nor us. Archway shows there that it is the client that they
were given to: one that it registered, the entry's own, or the installation's.
"""

import asyncio
import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Final

from control.accounts.kept_clients import place_of_revocation
from control.credentials.upstream_oauth.revocation import Kind, Revoked, revoke
from control.providers.asking import Asker, host_of
from control.registry.account import AccountTokens
from control.registry.account_revocation import Revocation
from control.registry.row_seals import RowSeals
from control.store import account_revocations
from control.store.pool import Pool, transaction
from core.client_keys import KeyRefused
from core.sealing import SealBroken
from core.tasks import forever

log = logging.getLogger(__name__)
EVERY_S: Final = 5.0
AGAIN: Final = timedelta(seconds=15)
_AGAIN_AFTER_S: Final = 5.0
MOST: Final = 10
"""Of one round: each may wait for a provider."""


class Revocations:
    """Tells providers; it needs the database, who asks, and what opens what is sealed."""

    def __init__(
        self, pool: Pool, asker: Asker, seals: RowSeals, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._pool, self._asker, self._seals, self._clock = pool, asker, seals, clock

    async def run(self) -> None:
        """Round after round, until cancelled."""
        await forever("account-revocations", self._round, _AGAIN_AFTER_S)

    async def tell(self) -> int:
        """Tell the providers of some tokens that are due; how many were tried."""
        async with transaction(self._pool) as connection:
            due = await account_revocations.claim(connection, MOST, AGAIN)
        async with asyncio.TaskGroup() as group:
            for one in due:
                group.create_task(self._tell(one))
        return len(due)

    async def _round(self) -> None:
        await asyncio.sleep(EVERY_S)
        await self.tell()

    async def _tell(self, one: Revocation) -> None:
        told = await self._told(one)
        over = one.expires_at <= self._clock()
        if not told.done and not over:
            return
        async with transaction(self._pool) as connection:
            await account_revocations.done(connection, one.id)
        if not told.done:
            extra = {"provider": host_of(one.revocation_endpoint), "tries": one.tries, "cause": told.why}
            log.warning("a provider was not told of tokens that are used no more", extra=extra)

    async def _told(self, one: Revocation) -> Revoked:
        try:
            tokens, place = self._tokens(one), place_of_revocation(self._seals, one)
        except SealBroken:
            return Revoked(False, "what is sealed cannot be opened any more")
        except KeyRefused as refused:
            return Revoked(False, f"the client's key {refused}")
        held: tuple[tuple[Kind, str], ...] = (
            ("refresh_token", tokens.refresh_token), ("access_token", tokens.access_token),
        )  # fmt: skip
        return await revoke(self._asker, place, one.revocation_endpoint, held, self._clock().timestamp())

    def _tokens(self, one: Revocation) -> AccountTokens:
        words = (one.place, one.issuer, one.token_endpoint, one.revocation_endpoint, one.resource)
        return self._seals.open_tokens(one.tokens, one.installation_id, words)
