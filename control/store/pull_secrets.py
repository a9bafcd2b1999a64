"""SQL that reads image pull secrets. Written in `writes/pull_secrets.py`. Passwords leave this file sealed only."""

from collections.abc import Collection, Sequence
from typing import Final

from control.registry.pull_secret import KeptPullSecret
from control.store.pool import Connection
from control.store.rows import columns_of, made
from control.store.statements import Place, behind, in_order, listed, place_of

COLUMNS: Final = columns_of(KeptPullSecret)
_SELECT: Final = f"select {listed(COLUMNS)} from pull_secrets "


async def one(connection: Connection, pull_secret_id: str, *, lock: bool = False) -> KeptPullSecret | None:
    """The pull secret with this identifier; locked for a change."""
    row = await connection.fetchrow(_SELECT + "where id = $1" + (" for update" if lock else ""), pull_secret_id)
    return None if row is None else made(KeptPullSecret, row)


async def many(connection: Connection, pull_secret_ids: Collection[str]) -> dict[str, KeptPullSecret]:
    """Those with these identifiers, by identifier."""
    rows = await connection.fetch(_SELECT + "where id = any($1::uuid[])", list(pull_secret_ids))
    return {row["id"]: made(KeptPullSecret, row) for row in rows}


async def page(
    connection: Connection,
    *,
    limit: int,
    after: Place | None,
    everything: bool,
    teams: Sequence[str],
    name: str | None = None,
) -> list[KeptPullSecret]:
    """Pull secrets by name, behind `after`. `everything`: all; else those of `teams`."""
    rows = await connection.fetch(
        _SELECT
        + f"""where {behind(2, "name", "id")} and ($4 or team_id = any($5::uuid[]))
                and ($6::text is null or lower(name) = lower($6))
              {in_order("name", "id")} limit $1""",
        limit, *place_of(after), everything, list(teams), name,
    )  # fmt: skip
    return [made(KeptPullSecret, row) for row in rows]


async def entries_using(connection: Connection, pull_secret_id: str) -> list[str]:
    """Slugs of the entries that name it, in their order."""
    rows = await connection.fetch(
        "select slug from entries where run -> 'pull_secrets' ? $1 order by slug", pull_secret_id
    )
    return [row["slug"] for row in rows]
