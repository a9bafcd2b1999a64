"""SQL that writes image pull secrets. Called by `control/changes/pull_secrets.py`, which locks the row before."""

from typing import Final

from control.registry.pull_secret import KeptPullSecret, NewPullSecret
from control.store.pull_secrets import COLUMNS
from control.store.rows import columns_of, made, values_of
from control.store.statements import insert_into, listed, update_of
from control.store.writing import Writing

_SET: Final = columns_of(NewPullSecret)
_RETURNING: Final = f" returning {listed(COLUMNS)}"
_INSERT: Final = insert_into("pull_secrets", _SET) + _RETURNING
_UPDATE: Final = update_of("pull_secrets", _SET) + _RETURNING


async def insert(writing: Writing, pull_secret_id: str, new: NewPullSecret) -> KeptPullSecret:
    """A new one; StoreConflict `pull_secrets_name` or `pull_secrets_team_id_fkey`."""
    return made(KeptPullSecret, await writing.fetch_row(_INSERT, pull_secret_id, *values_of(new, _SET)))


async def update(writing: Writing, pull_secret_id: str, new: NewPullSecret) -> KeptPullSecret:
    """The row with all that a person may set; StoreConflict `pull_secrets_name`. The entries that name it get their
    next version, so that what runs is looked at again.
    """
    row = await writing.fetch_row(_UPDATE, pull_secret_id, *values_of(new, _SET))
    await writing.execute("update entries set version = version + 1 where run -> 'pull_secrets' ? $1", pull_secret_id)
    return made(KeptPullSecret, row)


async def delete(writing: Writing, pull_secret_id: str) -> None:
    """The pull secret goes; no entry may name it any more."""
    await writing.execute("delete from pull_secrets where id = $1", pull_secret_id)
