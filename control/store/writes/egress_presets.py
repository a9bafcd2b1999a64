"""SQL that writes egress presets. Called by `control/changes/egress_presets.py`, which locks the row before. The
servers of the environments that name one are told of its change by the table itself.
"""

from typing import Final

from control.registry.egress import EgressPreset, NewEgressPreset
from control.store.egress_presets import COLUMNS
from control.store.rows import columns_of, made, values_of
from control.store.statements import insert_into, listed, update_of
from control.store.writing import Writing
from core.identifiers import new_id

_SET: Final = columns_of(NewEgressPreset)
_RETURNING: Final = f" returning {listed(COLUMNS)}"
_INSERT: Final = insert_into("egress_presets", _SET) + _RETURNING
_UPDATE: Final = update_of("egress_presets", _SET) + _RETURNING


async def insert(writing: Writing, preset: NewEgressPreset) -> EgressPreset:
    """A new preset; StoreConflict `egress_presets_name`."""
    return made(EgressPreset, await writing.fetch_row(_INSERT, new_id(), *values_of(preset, _SET)))


async def update(writing: Writing, preset_id: str, preset: NewEgressPreset) -> EgressPreset:
    """The row with all that a person may set; StoreConflict `egress_presets_name`."""
    return made(EgressPreset, await writing.fetch_row(_UPDATE, preset_id, *values_of(preset, _SET)))


async def delete(writing: Writing, preset_id: str) -> None:
    """The preset goes; StoreConflict where an environment names it."""
    await writing.execute("delete from egress_presets where id = $1", preset_id)
