"""How installations stand, with all that this rests on read together: entries, accounts, and tools that changed.

Called where installations are listed or shown. What it means is decided in `control/credentials/standing.py`.
"""

from collections.abc import Collection, Sequence

from control.credentials.standing import Standing, standing_of
from control.registry.installation import Installation
from control.store import accounts, entries
from control.store.pool import Connection


async def standings(connection: Connection, installed: Sequence[Installation]) -> dict[str, Standing]:
    """How each of these stands, by its identifier."""
    of = await entries.many(connection, {one.entry_id for one in installed})
    held = await accounts.many(connection, [one.id for one in installed])
    changed = await _changed_tools(connection, of)
    return {
        one.id: standing_of(of[one.entry_id], one, held.get(one.id), changed.get(one.entry_id, ()))
        for one in installed
        if one.entry_id in of
    }


async def _changed_tools(connection: Connection, entry_ids: Collection[str]) -> dict[str, list[str]]:
    """Of these entries, the names of the tools that are held back or are other ones than somebody has looked at."""
    rows = await connection.fetch(
        """select entry_id, array_agg(name order by name) as names from entry_tools
           where entry_id = any($1::uuid[]) and missing_since is null
             and (changed_at is not null or state = 'held_back')
           group by entry_id""",
        list(entry_ids),
    )
    return {row["entry_id"]: row["names"] for row in rows}
