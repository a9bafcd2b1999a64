"""SQL of the watches: which worker listens to which server, as leases in rows; nobody decides it.

Called by `control/internal/watches.py`. A server is listened to through the installation through which its entry's
tools are found, while that is good and something of the entry is on a gateway. One that gets another credential for
each caller is not: nobody calls; nor is one that is asleep, which nobody wakes to listen. Moments are compared with
the database's clock, which all replicas share.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from control.store.entries import IS_FOR_ONE_CALLER
from control.store.pool import Connection

_ON_A_GATEWAY: Final = """
    exists (select from assignments a join entry_tools t on t.id = a.tool_id where t.entry_id = e.id)
"""
_WANTED: Final = f"""
    select i.id from entries e join installations i on i.id = e.discovery_installation_id
    where i.state = 'ready' and not {IS_FOR_ONE_CALLER} and {_ON_A_GATEWAY}
      and not exists (select from idle_servers z where z.installation_id = i.id and z.asleep_since is not null)
"""
_RENEW: Final = f"""
    update watches w set until = now() + $3::interval from ({_WANTED}) as wanted
    where w.installation_id = wanted.id and w.worker = $1 and w.installation_id = any($2::uuid[])
    returning w.installation_id
"""
_GIVE_BACK: Final = "delete from watches where worker = $1 and installation_id <> all($2::uuid[])"
_SILENCE: Final = """
    update watches set worker = '', until = now() + $3::interval
    where worker = $1 and installation_id = any($2::uuid[])
"""
_CLAIM: Final = f"""
    insert into watches (installation_id, worker, until)
    select wanted.id, $1, now() + $3::interval
    from ({_WANTED}) as wanted left join watches w on w.installation_id = wanted.id
    where w.until is null or w.until <= now() order by wanted.id limit $2
    on conflict (installation_id) do update set worker = excluded.worker, until = excluded.until
        where watches.until <= now()
    returning installation_id
"""


@dataclass(frozen=True, slots=True)
class ListedBy:
    """An entry whose server was heard, and the installation through which its tools are found."""

    entry_id: str
    installation_id: str


async def renew(connection: Connection, worker: str, held: Collection[str], lease_s: float) -> set[str]:
    """Go on with those of these that are the worker's and still wanted; what it has besides is free again."""
    rows = await connection.fetch(_RENEW, worker, list(held), timedelta(seconds=lease_s))
    kept = {row["installation_id"] for row in rows}
    await connection.execute(_GIVE_BACK, worker, list(kept))
    return kept


async def silence(connection: Connection, worker: str, installation_ids: Collection[str], rest_s: float) -> None:
    """These of the worker's cannot be listened to: nobody has them for so long."""
    if installation_ids:
        await connection.execute(_SILENCE, worker, list(installation_ids), timedelta(seconds=rest_s))


async def claim(connection: Connection, worker: str, most: int, lease_s: float) -> list[str]:
    """So many more for the worker, of those that nobody has."""
    if most <= 0:
        return []
    rows = await connection.fetch(_CLAIM, worker, most, timedelta(seconds=lease_s))
    return [row["installation_id"] for row in rows]


async def listed_by(connection: Connection, installation_ids: Collection[str]) -> dict[str, ListedBy]:
    """Of these installations, those of entries that are on a gateway and whose tools are found through one."""
    rows = await connection.fetch(
        f"""select i.id, e.id as entry_id, e.discovery_installation_id from installations i
           join entries e on e.id = i.entry_id
           where i.id = any($1::uuid[]) and e.discovery_installation_id is not null and {_ON_A_GATEWAY}""",
        list(installation_ids),
    )
    return {row["id"]: ListedBy(row["entry_id"], row["discovery_installation_id"]) for row in rows}
