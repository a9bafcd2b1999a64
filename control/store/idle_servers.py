"""SQL that reads how long servers were not called, of entries whose servers are ended then.

Written in `writes/idle_servers.py`, but for the state of one that falls asleep as it is read. The moments are the
database's, which all replicas share.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from control.registry.idleness import Idleness
from control.registry.server_state import Place
from control.store.pool import Connection
from control.store.rows import made

IDLE_MINUTES: Final = "coalesce((e.run ->> 'idle_minutes')::int, 0)"
"""Of an entry `e`: 0 where its servers are never ended."""


@dataclass(frozen=True, slots=True)
class Counted:
    """A server that is ready, and may have to be ended."""

    installation_id: str
    minutes: int
    idleness: Idleness


async def now(connection: Connection) -> datetime:
    """The moment at which the database's transaction began."""
    found: datetime = await connection.fetchval("select now()")
    return found


async def lock(connection: Connection, installation_id: str) -> Idleness | None:
    """How long this one was not called, locked; None where that is not counted yet."""
    row = await connection.fetchrow(
        "select * from idle_servers where installation_id = $1 for update", installation_id
    )
    return None if row is None else made(Idleness, row)


async def ready(connection: Connection, place: Place) -> list[Counted]:
    """Those that are counted and answer as they are wanted, and are not asleep."""
    rows = await connection.fetch(
        f"""select u.*, {IDLE_MINUTES} as minutes from idle_servers u
           join installations i on i.id = u.installation_id join entries e on e.id = i.entry_id
           join server_states s on s.installation_id = i.id
           where {IDLE_MINUTES} > 0 and u.asleep_since is null and s.phase = 'ready' and s.place = $1""",
        place,
    )
    return [Counted(row["installation_id"], row["minutes"], made(Idleness, row)) for row in rows]


async def falls_asleep(connection: Connection, installation_id: str) -> bool:
    """Whether the server is to be asleep; then it answers no more from now on, and who wakes it waits until it does.

    In the transaction that reads what is to run. Who wakes it before this is committed finds it running, and it goes
    on; who does so afterwards finds it asleep.
    """
    found = await lock(connection, installation_id)
    if found is None or found.asleep_since is None:
        return False
    await connection.execute(
        """update server_states set phase = 'asleep', endpoint = '', cause = '', message = '', changed_at = now()
           where installation_id = $1 and phase <> 'asleep'""",
        installation_id,
    )
    return True
