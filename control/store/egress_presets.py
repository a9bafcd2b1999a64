"""SQL that reads egress presets, and which environments name one. Written in `writes/egress_presets.py`."""

from collections.abc import Collection
from typing import Final

from control.registry.egress import EgressPreset
from control.store.pool import Connection
from control.store.rows import columns_of, made
from control.store.statements import Place, behind, in_order, listed, place_of

COLUMNS: Final = columns_of(EgressPreset)
_SELECT: Final = f"select {listed(COLUMNS)} from egress_presets "


async def one(connection: Connection, preset_id: str, *, lock: bool = False) -> EgressPreset | None:
    """The preset with this identifier; locked for a change."""
    row = await connection.fetchrow(_SELECT + "where id = $1" + (" for update" if lock else ""), preset_id)
    return None if row is None else made(EgressPreset, row)


async def many(connection: Connection, preset_ids: Collection[str], *, lock: bool = False) -> list[EgressPreset]:
    """Those of these that are there, by name; locked so that none of them changes until this transaction ends."""
    rows = await connection.fetch(
        _SELECT + "where id = any($1::uuid[]) order by id" + (" for share" if lock else ""), sorted(set(preset_ids))
    )
    return sorted((made(EgressPreset, row) for row in rows), key=lambda preset: preset.name)


async def page(
    connection: Connection, *, limit: int, after: Place | None, name: str | None = None
) -> list[EgressPreset]:
    """Presets by name, behind `after`."""
    rows = await connection.fetch(
        _SELECT
        + f"""where {behind(2, "name", "id")} and ($4::text is null or lower(name) = lower($4))
              {in_order("name", "id")} limit $1""",
        limit, *place_of(after), name,
    )  # fmt: skip
    return [made(EgressPreset, row) for row in rows]


async def environments_naming(connection: Connection, preset_id: str) -> list[str]:
    """Names of the environments that name it, in their order."""
    rows = await connection.fetch(
        """select e.name from environments e join environment_presets p on p.environment_id = e.id
           where p.preset_id = $1 order by e.name""",
        preset_id,
    )
    return [row["name"] for row in rows]


async def environment_ids(connection: Connection, preset_id: str) -> list[str]:
    """Identifiers of those."""
    rows = await connection.fetch(
        "select environment_id from environment_presets where preset_id = $1 order by environment_id", preset_id
    )
    return [row["environment_id"] for row in rows]
