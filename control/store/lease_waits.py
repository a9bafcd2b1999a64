"""What everybody does who renews tokens under a lease in a row: wait while somebody else has it, ask while it lasts,
and store what was given, which is nowhere else.

Called by `control/accounts/` for accounts at the providers of servers, and by `control/identity/` for people's own
sign-ins. Leaves out the leases themselves, which are columns of the rows.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

from control.store.pool import StoreUnavailable

T = TypeVar("T")

LEASE_S: Final = 24.0
"""Three questions of 5 s, the pause before the third, and writing."""
HELD_S: Final = 30.0
"""A little longer than a lease lasts."""
STORED_WITHIN_S: Final = 30.0
"""How long tokens are held for a database that is away: they are nowhere else."""
_TO_WRITE_S: Final = 2.0
"""Of a lease, kept free for what is written after the last question."""
_POLLS: Final = (0.05, 0.1, 0.2, 0.4)
_STORE_AGAIN_S: Final = 0.5


def left_of(ends: float) -> float:
    """Seconds in which a provider may still be asked under a lease that ends then, by the monotonic clock."""
    return ends - time.monotonic() - _TO_WRITE_S


async def once_free(take: Callable[[], Awaitable[T]], held: type, luck: Callable[[], float]) -> T:
    """What `take` gives that is no `held`: it is called again and again while somebody else has the lease, and its
    answer given as it is after `HELD_S`. `luck`: a number from 0 to 1, so that those who wait do not come together.
    """
    waited, tries = 0.0, 0
    while True:
        found = await take()
        if not isinstance(found, held) or waited > HELD_S:
            return found
        pause = _POLLS[min(tries, len(_POLLS) - 1)] * (0.75 + luck() / 2)
        await asyncio.sleep(pause)
        waited, tries = waited + pause, tries + 1


async def stored_at_last(store: Callable[[], Awaitable[T]]) -> T:
    """What `store` gives once the database is there. Raises StoreUnavailable after `STORED_WITHIN_S`."""
    waited = 0.0
    while True:
        try:
            return await store()
        except StoreUnavailable:
            if waited > STORED_WITHIN_S:
                raise
        waited += _STORE_AGAIN_S
        await asyncio.sleep(_STORE_AGAIN_S)
