"""SQL that writes environments. Called by `control/changes/environments.py`, which locks the row before."""

from collections.abc import Mapping
from typing import Any, Final

from control.registry.environment import Environment, NewEnvironment
from control.store.environments import COLUMNS
from control.store.rows import columns_of, made, values_of
from control.store.statements import insert_into, listed, update_of
from control.store.writing import Writing
from core.identifiers import new_id

_SET: Final = columns_of(NewEnvironment, apart={"presets"})
_RETURNING: Final = f" returning {listed(COLUMNS)}"
_INSERT: Final = insert_into("environments", _SET) + _RETURNING
_UPDATE: Final = update_of("environments", _SET) + _RETURNING


async def insert(writing: Writing, environment: NewEnvironment) -> Environment:
    """A new environment; StoreConflict `environments_name` or `environment_presets_preset_id_fkey`."""
    row = await writing.fetch_row(_INSERT, new_id(), *values_of(environment, _SET))
    return await _with_presets(writing, row, environment.presets)


async def update(writing: Writing, environment_id: str, environment: NewEnvironment) -> Environment:
    """The row with all that a person may set; StoreConflict as `insert`."""
    row = await writing.fetch_row(_UPDATE, environment_id, *values_of(environment, _SET))
    return await _with_presets(writing, row, environment.presets)


async def delete(writing: Writing, environment_id: str) -> None:
    """The environment goes; StoreConflict where an entry is in it, or a gateway serves it."""
    await writing.execute("delete from environments where id = $1", environment_id)


async def _with_presets(writing: Writing, row: Mapping[str, Any], presets: tuple[str, ...]) -> Environment:
    named = sorted(set(presets))
    await writing.execute("delete from environment_presets where environment_id = $1", row["id"])
    await writing.execute(
        "insert into environment_presets (environment_id, preset_id) select $1, unnest($2::uuid[])", row["id"], named
    )
    return made(Environment, row, presets=named)
