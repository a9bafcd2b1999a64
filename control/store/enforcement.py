"""SQL of what probes of egress showed, a row for each environment and kind of its rules.

Nobody decides it, so it is written here. Called by the rounds of probes, and by whoever tells people of it.
"""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from control.registry.enforcement import NUMBERS, Enforcement, shown, shown_of_server
from control.registry.entry import Entry
from control.registry.environment import Environment
from control.registry.server_state import Place
from control.store import environments
from control.store.pool import Connection
from control.store.rows import made


@dataclass(frozen=True, slots=True)
class LastProbe:
    """The last probe of an environment: of what it was, and when."""

    of: str
    at: datetime


async def of_environments(
    connection: Connection, environment_ids: Collection[str]
) -> defaultdict[str, list[Enforcement]]:
    """What the last probes showed, by environment; [] where none was made."""
    rows = await connection.fetch(
        """select environment_id, kind, state, reason, provider, probed_at from egress_enforcement
           where environment_id = any($1::uuid[]) order by environment_id, kind""",
        list(environment_ids),
    )
    found: defaultdict[str, list[Enforcement]] = defaultdict(list)
    for row in rows:
        found[row["environment_id"]].append(made(Enforcement, row))
    return found


async def shown_of(
    connection: Connection, found: Sequence[Environment], place: Place | None
) -> dict[str, list[Enforcement]]:
    """What people are told of each of these environments, by their identifiers."""
    kept = await of_environments(connection, [one.id for one in found])
    rules = await environments.rules_by_id(connection, found)
    now = datetime.now(UTC)
    return {one.id: shown(one, rules[one.id], kept[one.id], place, now) for one in found}


async def shown_of_entry(
    connection: Connection, entry: Entry, inside: Environment | None, place: Place | None
) -> list[Enforcement]:
    """What people are told of the servers of an entry; `inside`: the environment in which it is."""
    if inside is None:
        return []
    return shown_of_server((await shown_of(connection, [inside], place))[inside.id], entry)


async def last_probes(connection: Connection) -> dict[str, LastProbe]:
    """The last probe of each environment of which there was one."""
    rows = await connection.fetch(
        """select environment_id, min(probed_of) as of, min(probed_at) as at
           from egress_enforcement group by environment_id"""
    )
    return {row["environment_id"]: LastProbe(row["of"], row["at"]) for row in rows}


async def keep(connection: Connection, environment_id: str, found: Sequence[Enforcement], of: str) -> None:
    """Have the rows of an environment be what this probe showed. Nothing where the environment has gone meanwhile."""
    if await connection.fetchval("select id from environments where id = $1 for key share", environment_id) is None:
        return
    await forget(connection, environment_id)
    await connection.executemany(
        """insert into egress_enforcement (environment_id, kind, state, reason, provider, probed_of)
           values ($1, $2, $3, $4, $5, $6)""",
        [(environment_id, one.kind, one.state, one.reason, one.provider, of) for one in found],
    )


async def forget(connection: Connection, environment_id: str) -> None:
    """Have no row say anything of it: a newer probe does, or its servers run elsewhere from now on."""
    await connection.execute("delete from egress_enforcement where environment_id = $1", environment_id)


async def ask_again(connection: Connection, environment_id: str) -> None:
    """Have whoever leads probe it now."""
    await connection.execute("update egress_enforcement set probed_of = '' where environment_id = $1", environment_id)
    await connection.execute("select pg_notify('archway_servers', $1::text)", environment_id)


async def standings(connection: Connection, place: Place | None) -> list[tuple[str, str, int]]:
    """How all of them stand, for metrics, as people are told: an environment's name, a kind of its rules as they are
    now, and the number of its state. Nothing where no servers run in a cluster: then nothing is probed.
    """
    if place != "cluster":
        return []
    found = await environments.with_a_policy(connection)
    told = await shown_of(connection, found, place)
    return sorted((one.name, each.kind, NUMBERS[each.state]) for one in found for each in told[one.id])
