"""SQL that names people, teams and OAuth clients by their identifiers, for pages that tell of many of them at once.

Called by the console, which has judged before whose names the person who looks may be told.
"""

from collections.abc import Collection

from control.store.pool import Connection


async def people(connection: Connection, user_ids: Collection[str]) -> dict[str, str]:
    """Names by identifier; those that were deleted are not in it."""
    rows = await connection.fetch("select id, name from users where id = any($1::uuid[])", list(user_ids))
    return {row["id"]: row["name"] for row in rows}


async def teams(connection: Connection, team_ids: Collection[str]) -> dict[str, str]:
    """Names by identifier; those that were deleted are not in it."""
    rows = await connection.fetch("select id, name from teams where id = any($1::uuid[])", list(team_ids))
    return {row["id"]: row["name"] for row in rows}


async def clients(connection: Connection, client_pks: Collection[str]) -> dict[str, str]:
    """Names by identifier of the row; those that were deleted are not in it."""
    rows = await connection.fetch("select id, name from oauth_clients where id = any($1::uuid[])", list(client_pks))
    return {row["id"]: row["name"] for row in rows}
