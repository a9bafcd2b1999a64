"""SQL that writes environments. Called by `control/changes/environments.py`, which locks the row before."""

from typing import Final

from control.registry.environment import Environment, NewEnvironment
from control.store.environments import COLUMNS
from control.store.rows import columns_of, made, values_of
from control.store.statements import insert_into, listed, update_of
from control.store.writing import Writing
from core.identifiers import new_id

_SET: Final = columns_of(NewEnvironment)
_RETURNING: Final = f" returning {listed(COLUMNS)}"
_INSERT: Final = insert_into("environments", _SET) + _RETURNING
_UPDATE: Final = update_of("environments", _SET) + _RETURNING


async def insert(writing: Writing, environment: NewEnvironment) -> Environment:
    """A new environment; StoreConflict `environments_name`."""
    return made(Environment, await writing.fetch_row(_INSERT, new_id(), *values_of(environment, _SET)))


async def update(writing: Writing, environment_id: str, environment: NewEnvironment) -> Environment:
    """The row with all that a person may set; StoreConflict `environments_name`."""
    return made(Environment, await writing.fetch_row(_UPDATE, environment_id, *values_of(environment, _SET)))


async def delete(writing: Writing, environment_id: str) -> None:
    """The environment goes; StoreConflict where an entry is in it."""
    await writing.execute("delete from environments where id = $1", environment_id)
