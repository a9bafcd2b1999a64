"""SQL that reads OAuth clients, whoever registered them. Written in `writes/oauth_clients.py`, but for the time of
the last use: that is no change, and is noted here. Clients that nobody used are forgotten here too.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from control.registry.oauth_client import Kind, OAuthClient
from control.store.pool import Connection
from control.store.rows import columns_of, made
from control.store.statements import Place, behind, in_order, listed, place_of

COLUMNS: Final = columns_of(OAuthClient)
_SELECT: Final = f"select {listed(COLUMNS)} from oauth_clients "
_UNUSED: Final = """
    kind <> 'registered' and last_used_at is null and disabled_at is null
    and not exists (select from oauth_grants g where g.client_id = oauth_clients.id and g.redeemed_at is not null)
"""


@dataclass(frozen=True, slots=True)
class GoesWithClient:
    """What a client's deletion takes along, or changes, beside its grants: identifiers."""

    installations: list[str]
    gateways: list[str]
    """Gateways, which stay, and lose tools that are pinned to an installation of the client."""


async def one(connection: Connection, client_pk: str, *, lock: bool = False) -> OAuthClient | None:
    """The client with this row's identifier; locked for a change."""
    row = await connection.fetchrow(_SELECT + "where id = $1" + (" for update" if lock else ""), client_pk)
    return None if row is None else made(OAuthClient, row)


async def named(connection: Connection, client_id: str) -> OAuthClient | None:
    """The client that calls itself so."""
    row = await connection.fetchrow(_SELECT + "where client_id = $1", client_id)
    return None if row is None else made(OAuthClient, row)


async def names_of(connection: Connection, client_ids: Sequence[str]) -> dict[str, str]:
    """The names of those of these clients that have been here, by what each calls itself."""
    rows = await connection.fetch(
        "select client_id, name from oauth_clients where client_id = any($1)", list(client_ids)
    )  # fmt: skip
    return {row["client_id"]: row["name"] for row in rows}


async def called(connection: Connection, name: str) -> list[str]:
    """What clients with this name, whatever its case, call themselves; five at most, the newest first."""
    rows = await connection.fetch(
        "select client_id from oauth_clients where lower(name) = lower($1) order by created_at desc, id limit 5", name
    )
    return [row["client_id"] for row in rows]


async def registered_as(connection: Connection, content_digest: str) -> OAuthClient | None:
    """The client that registered with the very same."""
    row = await connection.fetchrow(_SELECT + "where content_digest = $1", content_digest)
    return None if row is None else made(OAuthClient, row)


async def registered_again(connection: Connection, content_digest: str) -> OAuthClient | None:
    """The same, for who registers with it again; one that nobody has used yet is as young as a new one by that."""
    row = await connection.fetchrow(
        f"""update oauth_clients set created_at = case when {_UNUSED} then now() else created_at end
            where content_digest = $1 returning {listed(COLUMNS)}""",
        content_digest,
    )
    return None if row is None else made(OAuthClient, row)


async def goes_with(connection: Connection, client_pk: str) -> GoesWithClient:
    """What the client's deletion will take along."""
    owned = await connection.fetch("select id from installations where oauth_client_id = $1", client_pk)
    pinned = await connection.fetch(
        """select distinct a.gateway_id as id from assignments a join installations i on i.id = a.installation_id
           where i.oauth_client_id = $1""",
        client_pk,
    )
    return GoesWithClient([row["id"] for row in owned], [row["id"] for row in pinned])


async def acting_by_themselves(connection: Connection, limit: int) -> list[OAuthClient]:
    """Clients that call for themselves and for no person, by name."""
    rows = await connection.fetch(
        _SELECT + f"where acts = 'by_itself' {in_order('name', 'id')} limit $1", limit
    )  # fmt: skip
    return [made(OAuthClient, row) for row in rows]


async def unused(connection: Connection) -> int:
    """How many clients registered by themselves and were never used."""
    return int(await connection.fetchval(f"select count(*) from oauth_clients where kind = 'dynamic' and {_UNUSED}"))


async def forget_unused(connection: Connection, older_than: timedelta, most: int) -> int:
    """Forget clients that nobody made an admin's, and nobody used since; how many. One that was shut out stays, since
    it would be let in when it comes again.
    """
    rows = await connection.fetch(
        f"""delete from oauth_clients where id in (
                select id from oauth_clients where created_at < now() - $1::interval and {_UNUSED}
                order by created_at limit $2 for update skip locked) returning id""",
        older_than, most,
    )  # fmt: skip
    return len(rows)


async def note_use(connection: Connection, client_pk: str) -> None:
    """Remember that it was used, at most once a minute; never waits for another who writes the same."""
    await connection.execute(
        """update oauth_clients set last_used_at = now() where id in (
               select id from oauth_clients
               where id = $1 and (last_used_at is null or last_used_at < now() - interval '1 minute')
               for no key update skip locked)""",
        client_pk,
    )


async def page(
    connection: Connection, *, limit: int, after: Place | None, kind: Kind | None = None, name: str | None = None
) -> list[OAuthClient]:
    """Clients by name, behind `after`; narrowed by the filters."""
    rows = await connection.fetch(
        _SELECT
        + f"""where {behind(2, "name", "id")} and ($4::text is null or kind = $4)
                and ($5::text is null or lower(name) = lower($5))
              {in_order("name", "id")} limit $1""",
        limit, *place_of(after), kind, name,
    )  # fmt: skip
    return [made(OAuthClient, row) for row in rows]
