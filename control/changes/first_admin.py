"""The one user whom nobody makes: an admin at the first start, so that the run's own token acts for somebody.

Called by `control/replica.py` before the listeners open.
"""

import logging

from control.changes.write import changing
from control.registry.access import Caller
from control.store.pool import Pool
from control.store.writes import users as rows

log = logging.getLogger(__name__)
_NOBODY = Caller(user_id="", name="", role="admin")


async def ensure_first_admin(pool: Pool) -> None:
    """Make an admin where there is no user at all. Replicas may race. No act of anybody, so nothing is recorded."""
    async with changing(pool, _NOBODY) as write:
        made = await rows.insert_first_admin(write, "Administrator", "admin@localhost")
        await write.announce()
        write.observed()
    if made is not None:
        log.info("first admin made", extra={"user_id": made})
