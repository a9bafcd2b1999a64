"""SQL that finds gateways by the names that clients know them by, and those that one person may call.

Called by the authorization server, and where a proxy asks for a gateway by what a caller's URL says. Slugs that a
gateway had before are written in `writes/gateways.py`.
"""

from collections.abc import Collection
from typing import Final

from control.registry.gateway import Gateway
from control.store import gateways
from control.store.pool import Connection
from control.store.rows import made
from core.identifiers import is_id

MOST_CHOICES: Final = 100
_NAMED: Final = """
    select coalesce((select id from gateways where slug = $1), (select gateway_id from retired_slugs where slug = $1))
"""
_CALLABLE: Final = (
    gateways.SELECT
    + """where (g.visibility = 'organisation' or g.owner_id = $1
               or (g.visibility = 'teams' and exists (
                   select from gateway_teams t join memberships m on m.team_id = t.team_id
                   where t.gateway_id = g.id and m.user_id = $1)))
           and ($2 = any(g.allowed_clients) or g.allowed_clients = '{}')
         order by g.slug limit $3"""
)


async def by_any_name(connection: Connection, name: str) -> Gateway | None:
    """The gateway with this identifier, slug, or slug of before; a slug that somebody has now comes first."""
    gateway_id = await id_by_any_name(connection, name)
    return await gateways.one(connection, gateway_id) if gateway_id else None


async def id_by_any_name(connection: Connection, name: str) -> str | None:
    """The identifier that `by_any_name` looks for; one that is given is not looked up."""
    if is_id(name):
        return name
    found = await connection.fetchval(_NAMED, name)
    return None if found is None else str(found)


async def by_any_names(connection: Connection, names: Collection[str]) -> dict[str, Gateway]:
    """The gateways with these identifiers, slugs, or slugs of before, by the name that was asked for."""
    rows = await connection.fetch(
        """select n.name, coalesce(
               (select id from gateways g where g.slug = n.name or g.id::text = n.name),
               (select gateway_id from retired_slugs r where r.slug = n.name)) as id
           from unnest($1::text[]) as n (name)""",
        list(names),
    )
    found = await gateways.many(connection, {row["id"] for row in rows if row["id"] is not None})
    return {row["name"]: found[row["id"]] for row in rows if row["id"] in found}


async def callable_by(connection: Connection, user_id: str, client_id: str) -> list[Gateway]:
    """The gateways that this person sees and this client is let in at, by slug."""
    rows = await connection.fetch(_CALLABLE, user_id, client_id, MOST_CHOICES)
    return [made(Gateway, row) for row in rows]


async def naming(connection: Connection, client_id: str) -> list[Gateway]:
    """The gateways that name this client among those that they let in, by slug."""
    rows = await connection.fetch(
        gateways.SELECT + "where $1 = any(g.allowed_clients) order by g.slug limit $2", client_id, MOST_CHOICES
    )
    return [made(Gateway, row) for row in rows]
