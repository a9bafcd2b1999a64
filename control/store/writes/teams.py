"""SQL that writes teams and memberships. Called by `control/changes/teams.py`, which locks the team's row before."""

from typing import Final

from control.registry.team import NewTeam, Team
from control.store.rows import columns_of, made, values_of
from control.store.statements import insert_into, listed, update_of
from control.store.teams import COLUMNS
from control.store.writing import Writing
from core.identifiers import new_id

_SET: Final = columns_of(NewTeam)
_RETURNING: Final = f" returning {listed(COLUMNS)}"
_INSERT: Final = insert_into("teams", _SET) + _RETURNING
_UPDATE: Final = update_of("teams", _SET) + _RETURNING


async def insert(writing: Writing, team: NewTeam) -> Team:
    """A new team; StoreConflict `teams_name`."""
    return made(Team, await writing.fetch_row(_INSERT, new_id(), *values_of(team, _SET)))


async def update(writing: Writing, team_id: str, team: NewTeam) -> Team:
    """The row with all that a person may set; StoreConflict `teams_name`."""
    return made(Team, await writing.fetch_row(_UPDATE, team_id, *values_of(team, _SET)))


async def delete(writing: Writing, team_id: str) -> None:
    """The team goes, with all that `teams.goes_with` names."""
    await writing.execute("delete from teams where id = $1", team_id)


async def set_member(writing: Writing, team_id: str, user_id: str, role: str) -> None:
    """The user is a member with this role, and the team has its next version; `memberships_user_id_fkey`."""
    await writing.execute(
        """insert into memberships (team_id, user_id, role) values ($1, $2, $3)
           on conflict (team_id, user_id) do update set role = excluded.role""",
        team_id, user_id, role,
    )  # fmt: skip
    await _raise_version(writing, team_id)


async def remove_member(writing: Writing, team_id: str, user_id: str) -> None:
    """The user is a member no more, and the team has its next version."""
    await writing.execute("delete from memberships where team_id = $1 and user_id = $2", team_id, user_id)
    await _raise_version(writing, team_id)


async def _raise_version(writing: Writing, team_id: str) -> None:
    await writing.execute("update teams set version = version + 1, updated_at = now() where id = $1", team_id)
