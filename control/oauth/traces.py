"""Notes for the page of sign-ins: which step a client took, and why it failed. Never in anybody's way.

Called by the endpoints. Reading our metadata takes no proof, so the notes of one process are bounded: a flood leaves
the first of each second. A note that cannot be written is not missed.
"""

import logging
import time
from typing import Final

from aiohttp import web

from control.http.client_address import client_address
from control.sign_in.attempts import Step, note
from control.store.pool import Pool, StoreConflict, StoreUnavailable, transaction

log = logging.getLogger(__name__)
_MOST_IN_A_SECOND: Final = 20


class Traces:
    """Writes notes, each in a transaction of its own: a refusal is told after what it refused was rolled back."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._second, self._noted = 0, 0

    async def note(
        self,
        request: web.Request,
        step: Step,
        *,
        client: str = "",
        gateway: str = "",
        user_id: str | None = None,
        reason: str = "",
        cure: str = "",
    ) -> None:
        """Note one step; `reason` where it failed."""
        if not self._has_room():
            return
        try:
            async with transaction(self._pool) as connection:
                await note(
                    connection,
                    step=step,
                    client=client,
                    gateway=gateway,
                    user_id=user_id,
                    address=client_address(request),
                    reason=reason,
                    cure=cure,
                )
        except (StoreConflict, StoreUnavailable) as fault:
            log.debug("a step of signing in was not noted", extra={"step": step, "fault": str(fault)})

    def _has_room(self) -> bool:
        second = int(time.monotonic())
        if second != self._second:
            self._second, self._noted = second, 0
        self._noted += 1
        return self._noted <= _MOST_IN_A_SECOND
