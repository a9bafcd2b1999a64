"""The metrics listener of control: `GET /metrics` for Prometheus, off unless an address is set.

Served by `control/main.py`. Nobody is asked who they are. What stands in the database is counted at most every few
seconds, however often somebody asks; while the database is away it is left out, and the rest is told.
"""

import asyncio
import time
from typing import Final

from aiohttp import web

from control.accounts.renewals import Renewals
from control.registry.server_state import Place
from control.store.enforcement import standings
from control.store.pool import Pool, StoreConflict, StoreUnavailable, transaction
from control.store.renewals import Standing, standing
from control.store.server_states import Counted, counted
from control.telemetry.exchange_counts import ExchangeCounts
from control.telemetry.exposition import CONTENT_TYPE, exposed

COUNTED_EVERY_S: Final = 5.0


class Metrics:
    """Answers whoever scrapes; it needs the database, and what counts renewals. `place`: where servers run here."""

    def __init__(
        self, pool: Pool, renewals: Renewals, exchanges: ExchangeCounts | None = None, place: Place | None = None
    ) -> None:
        self._pool, self._renewals, self._exchanges, self._place = pool, renewals, exchanges, place
        self._one_at_a_time = asyncio.Lock()
        self._standing: tuple[Standing, Counted, list[tuple[str, str, int]]] | None = None
        self._counted = 0.0

    def application(self) -> web.Application:
        """To be served on the address for metrics."""
        app = web.Application()
        app.router.add_get("/metrics", self._tell)
        return app

    async def _tell(self, _: web.Request) -> web.Response:
        known = await self._stands()
        counts, under_way = self._renewals.counts, self._renewals.under_way
        exchanges = None if self._exchanges is None else self._exchanges.ended
        if known is None:
            text = exposed(counts, under_way, None, None, exchanges=exchanges)
        else:
            stands, servers, egress = known
            text = exposed(
                counts, under_way, stands.failing, stands.revocations, servers.by_phase, servers.restarts, exchanges,
                egress,
            )  # fmt: skip
        return web.Response(body=text.encode(), headers={"Content-Type": CONTENT_TYPE})

    async def _stands(self) -> tuple[Standing, Counted, list[tuple[str, str, int]]] | None:
        """What the database said a moment ago; None where it could not say."""
        async with self._one_at_a_time:
            if time.monotonic() - self._counted >= COUNTED_EVERY_S or not self._counted:
                try:
                    async with transaction(self._pool, readonly=True) as connection:
                        stands, servers = await standing(connection), await counted(connection)
                        self._standing = stands, servers, await standings(connection, self._place)
                except (StoreUnavailable, StoreConflict):
                    self._standing = None
                self._counted = time.monotonic()
            return self._standing
