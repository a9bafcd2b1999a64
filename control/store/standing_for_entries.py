"""Whether somebody stands for an entry in its restricted environment: who put it there, and may do so still."""

from control.registry.entry import Entry
from control.registry.environment import Environment
from control.store import users
from control.store.pool import Connection


async def somebody_stands(connection: Connection, entry: Entry, found: Environment | None) -> bool:
    """Whether servers of the entry may be started and changed in `found`, the environment that it is in; in one that
    is not restricted always.
    """
    if found is None or not found.restricted:
        return True
    placer = await users.caller(connection, entry.placed_by, "") if entry.placed_by else None
    return placer is not None and placer.may("environment:deploy-to-restricted")
