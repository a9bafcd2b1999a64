"""What the publisher reads and takes: claims on the outbox, and the rows that snapshots are made of.

Called by `control/publish/` and by the resolve calls about gateways. A claim holds its rows until its transaction
ends; the rows that a snapshot is made of must be read in one REPEATABLE READ transaction begun after the claim.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from control.registry.gateway import AssignedRoute, GatewayContents
from control.store import gateways
from control.store.entries import IS_FOR_ONE_CALLER
from control.store.identity_providers import of_gateway
from control.store.pool import Connection
from control.store.rows import made
from core.changes import Kind
from core.snapshot import IndexRow

_CLAIM: Final = """
    select id, kind, name, revision from outbox order by id limit $1 for update skip locked
"""

_ASSIGNMENTS: Final = f"""
    select a.id, a.exposed_name, a.installation_id, t.kind, t.upstream_name, t.definition, t.state, t.list_revision,
           e.id as entry_id, e.slug as entry_slug, e.kind as entry_kind, e.passthrough,
           coalesce(e.run ->> 'transport' = 'stdio', false) as stdio,
           e.caller_statement is not null as tells_of_caller, {IS_FOR_ONE_CALLER} as for_one_caller,
           i.scope as installation_scope
    from assignments a
    join entry_tools t on t.id = a.tool_id
    join entries e on e.id = t.entry_id
    left join installations i on i.id = a.installation_id
    where a.gateway_id = $1
"""

_DIGESTS: Final = """
    select digest from tokens where user_id = any($1::uuid[]) or team_id = any($2::uuid[])
    union
    select t.digest from tokens t join memberships m on m.user_id = t.user_id where m.team_id = any($2::uuid[])
"""


@dataclass(frozen=True, slots=True)
class ClaimedChange:
    """A change in the outbox that no other publisher has."""

    id: int
    kind: Kind
    """Not checked: a later version, which runs beside this one, may know another."""
    name: str
    """As `core.changes.Change` has it."""
    revision: int


async def claim_changes(connection: Connection, limit: int) -> list[ClaimedChange]:
    """Changes of the outbox, oldest first; ours until the end of the transaction."""
    return [ClaimedChange(*row) for row in await connection.fetch(_CLAIM, limit)]


async def instance_id(connection: Connection) -> str:
    """What tells this Archway from another in the same cluster; it stays, also when the database is moved."""
    found: str = await connection.fetchval("select instance_id from publication")
    return found


async def forget_changes(connection: Connection, ids: Sequence[int]) -> None:
    """The claimed rows are published."""
    await connection.execute("delete from outbox where id = any($1::bigint[])", list(ids))


async def newest_change(connection: Connection) -> int:
    """The number of the last change that stands in the outbox, those of this transaction included; 0 for none."""
    return int(await connection.fetchval("select coalesce(max(id), 0) from outbox"))


async def change_waits(connection: Connection, upto: int) -> bool:
    """Whether a change up to this number still waits to be published."""
    return bool(await connection.fetchval("select exists (select from outbox where id <= $1)", upto))


async def gateway_ids(connection: Connection) -> list[str]:
    """Every gateway, by identifier."""
    return [str(row["id"]) for row in await connection.fetch("select id from gateways order by id")]


async def gateway_contents(connection: Connection, gateway_id: str) -> GatewayContents | None:
    """All that the gateway's snapshot is made of; None when it does not exist."""
    gateway = await gateways.one(connection, gateway_id)
    if gateway is None:
        return None
    rows = await connection.fetch(_ASSIGNMENTS, gateway_id)
    provider = await of_gateway(connection, gateway_id)
    assigned = tuple(made(AssignedRoute, row) for row in rows)
    return GatewayContents(gateway, assigned, "" if provider is None else provider.issuer)


async def index_rows(connection: Connection) -> tuple[int, list[IndexRow]]:
    """The index's revision, and its row of every gateway."""
    revision = await connection.fetchval("select index_revision from publication")
    rows = await connection.fetch("select id, slug, revision from gateways")
    return int(revision), [IndexRow(row["id"], row["slug"], row["revision"]) for row in rows]


async def digests_of(connection: Connection, users: Sequence[str], teams: Sequence[str]) -> list[str]:
    """Digests of the tokens of these users and teams, and of those teams' members."""
    return [row["digest"] for row in await connection.fetch(_DIGESTS, list(users), list(teams))]
