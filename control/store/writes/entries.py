"""SQL that writes registry entries. Called by `control/changes/entries.py`, which locks the entry's row before.

A field of `NewEntry` is a column of the same name, but for those that `_APART` names.
"""

from collections.abc import Collection, Mapping
from typing import Any, Final

from control.registry.entry import NewEntry, told_of_reached
from control.store.entries import REACHED
from control.store.rows import columns_of, values_of
from control.store.statements import insert_into, update_of
from control.store.writing import Writing

_APART: Final = {"reached", "teams"}
"""Fields that are columns of other names, and rows of another table."""
_COLUMNS: Final = columns_of(NewEntry, apart=_APART)
_INSERT: Final = insert_into("entries", REACHED + _COLUMNS)
_UPDATE: Final = update_of("entries", REACHED + _COLUMNS)


async def insert(writing: Writing, entry_id: str, entry: NewEntry) -> None:
    """A new entry; StoreConflict `entries_slug_key` or `entry_teams_team_id_fkey`."""
    await writing.execute(_INSERT, entry_id, *_values(entry))
    await _set_teams(writing, entry_id, entry.teams)


async def update(writing: Writing, entry_id: str, entry: NewEntry) -> None:
    """All that a person may set, and the next version; StoreConflict as `insert`."""
    await writing.execute(_UPDATE, entry_id, *_values(entry))
    await _set_teams(writing, entry_id, entry.teams)


async def delete(writing: Writing, entry_id: str) -> None:
    """The entry goes, with its tools, installations and assignments."""
    await writing.execute("delete from entries where id = $1", entry_id)


async def set_discovery(writing: Writing, entry_id: str, discovery: Mapping[str, Any]) -> None:
    """What the latest discovery found. Nobody's change of the entry, so its version stays."""
    await writing.execute("update entries set discovery = $2 where id = $1", entry_id, dict(discovery))


async def discover_through(writing: Writing, entry_id: str, installation_id: str, *, decided: bool = False) -> None:
    """Find its tools through this installation. Where nobody decided that, its version stays, as above."""
    await writing.execute(
        """update entries set discovery_installation_id = $2, version = version + $3::bool::int,
               updated_at = case when $3::bool then now() else updated_at end
           where id = $1""",
        entry_id, installation_id, decided,
    )  # fmt: skip


async def discover_through_another(writing: Writing, entry_ids: Collection[str]) -> None:
    """Find the tools of these entries through another installation than now: one that is ready, the organisation's
    before a team's, a team's before a service account's and that before a person's, of none that is shut out. Through
    none where there is none.
    """
    await writing.execute(
        """update entries e set discovery_installation_id = (
               select i.id from installations i left join users u on u.id = i.user_id
               left join oauth_clients c on c.id = i.oauth_client_id
               where i.entry_id = e.id and i.id is distinct from e.discovery_installation_id
                 and i.state = 'ready' and u.disabled_at is null and c.disabled_at is null
               order by array_position(array['organisation', 'team', 'service', 'personal'], i.scope),
                        i.is_default desc, i.created_at, i.id limit 1)
           where e.id = any($1::uuid[])""",
        list(entry_ids),
    )


async def _set_teams(writing: Writing, entry_id: str, teams: tuple[str, ...]) -> None:
    await writing.execute("delete from entry_teams where entry_id = $1", entry_id)
    await writing.execute(
        "insert into entry_teams (entry_id, team_id) select $1, unnest($2::uuid[])", entry_id, sorted(set(teams))
    )


def _values(entry: NewEntry) -> list[Any]:
    reached = told_of_reached(entry.reached)
    return [*(reached[name] for name in REACHED), *values_of(entry, _COLUMNS)]
