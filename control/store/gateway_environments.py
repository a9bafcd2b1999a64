"""SQL about the environments that gateways serve, and those of the entries that they show."""

from collections.abc import Collection
from dataclasses import dataclass

from control.registry.access import Caller
from control.store.gateways import VISIBLE
from control.store.pool import Connection
from control.store.rows import made


@dataclass(frozen=True, slots=True)
class ShownEntry:
    """An entry of which a gateway shows something, with where it is; None: in no environment."""

    id: str
    slug: str
    environment_id: str | None
    environment: str | None
    """Its name."""


@dataclass(frozen=True, slots=True)
class ShowingGateway:
    """A gateway that shows something of an entry."""

    slug: str | None
    """None: one that the caller does not see."""
    environments: tuple[str, ...]
    """Identifiers of those that it serves; (): all."""


async def shown_on(connection: Connection, gateway_id: str) -> list[ShownEntry]:
    """Of which entries a gateway shows something, by slug; the caller has locked the gateway's row."""
    rows = await connection.fetch(
        """select distinct e.id, e.slug, e.environment_id, v.name as environment
           from assignments a join entry_tools t on t.id = a.tool_id join entries e on e.id = t.entry_id
           left join environments v on v.id = e.environment_id
           where a.gateway_id = $1 order by e.slug""",
        gateway_id,
    )
    return [made(ShownEntry, row) for row in rows]


async def lock_showing(connection: Connection, entry_id: str, caller: Caller) -> list[ShowingGateway]:
    """The gateways that show something of an entry, by slug, locked: what they serve stays what it is. The caller has
    locked the entry's row, so that no other gateway begins to show it.
    """
    locked = await connection.fetch(
        """select id from gateways where id in (
               select a.gateway_id from assignments a join entry_tools t on t.id = a.tool_id where t.entry_id = $1)
           order by id for update""",
        entry_id,
    )
    # In a statement of its own: the one that waited for a lock saw only the locked rows as they are now.
    rows = await connection.fetch(
        f"""select case when {VISIBLE} then g.slug end as slug, array(
                select s.environment_id from gateway_environments s where s.gateway_id = g.id) as environments
            from gateways g where g.id = any($4::uuid[]) order by g.slug""",
        caller.may("gateway:read"), caller.user_id or None, list(caller.teams), [row["id"] for row in locked],
    )  # fmt: skip
    return [made(ShowingGateway, row) for row in rows]


async def names(connection: Connection, environment_ids: Collection[str]) -> list[str]:
    """Names of environments, sorted."""
    rows = await connection.fetch(
        "select name from environments where id = any($1::uuid[]) order by lower(name)", list(environment_ids)
    )
    return [row["name"] for row in rows]


async def gateways_naming(connection: Connection, environment_id: str, seen_by: Caller | None = None) -> list[str]:
    """Slugs of the gateways that name an environment among those that they serve; `seen_by`: of those that this
    caller sees.
    """
    everything = seen_by is None or seen_by.may("gateway:read")
    user_id, teams = (None, ()) if seen_by is None else (seen_by.user_id or None, seen_by.teams)
    rows = await connection.fetch(
        f"""select g.slug from gateway_environments s join gateways g on g.id = s.gateway_id
           where {VISIBLE} and s.environment_id = $4 order by g.slug""",
        everything, user_id, list(teams), environment_id,
    )  # fmt: skip
    return [row["slug"] for row in rows]
