"""SQL that reads who calls without an account here. Written in `writes/external_principals.py`, but for who was not
seen for long: that is forgotten here.
"""

from datetime import datetime
from typing import Final

from control.registry.external_principal import ExternalPrincipal
from control.store.pool import Connection
from control.store.rows import columns_of, made
from control.store.statements import listed

COLUMNS: Final = columns_of(ExternalPrincipal)
_SELECT: Final = f"select {listed(COLUMNS)} from external_principals "


async def one(connection: Connection, external_id: str, *, lock: bool = False) -> ExternalPrincipal | None:
    """Whoever has this identifier; locked for a change."""
    row = await connection.fetchrow(_SELECT + "where id = $1" + (" for update" if lock else ""), external_id)
    return None if row is None else made(ExternalPrincipal, row)


async def many(connection: Connection, external_ids: list[str]) -> dict[str, ExternalPrincipal]:
    """Those of these identifiers who are there, by identifier."""
    rows = await connection.fetch(_SELECT + "where id = any($1::uuid[])", external_ids)
    return {row["id"]: made(ExternalPrincipal, row) for row in rows}


async def page(
    connection: Connection,
    *,
    limit: int,
    before: tuple[datetime, str] | None = None,
    provider_id: str | None = None,
    subject: str | None = None,
) -> list[ExternalPrincipal]:
    """Whoever was seen last comes first; those behind `before`."""
    seen, external_id = before or (None, None)
    rows = await connection.fetch(
        _SELECT
        + """where ($2::timestamptz is null or (last_seen_at, id) < ($2, $3::uuid))
               and ($4::uuid is null or provider_id = $4) and ($5::text is null or subject = $5)
             order by last_seen_at desc, id desc limit $1""",
        limit, seen, external_id, provider_id, subject,
    )  # fmt: skip
    return [made(ExternalPrincipal, row) for row in rows]


async def count(connection: Connection, provider_id: str) -> int:
    """How many rows there are of a provider."""
    return int(
        await connection.fetchval("select count(*) from external_principals where provider_id = $1", provider_id)
    )


async def forget_unseen(connection: Connection, days: int, most: int) -> int:
    """Forget who has not called for so many days; how many. One who was shut out stays, since else they would be let
    in when they come again.
    """
    rows = await connection.fetch(
        """delete from external_principals where id in (
               select id from external_principals
               where last_seen_at < now() - make_interval(days => $1) and disabled_at is null
               order by last_seen_at limit $2 for update skip locked) returning id""",
        days, most,
    )  # fmt: skip
    return len(rows)
