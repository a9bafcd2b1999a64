"""Changes of teams and of who belongs to them. A team's version rises with its members too."""

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any

from control.changes.refusals import NotAllowed, NotThere, refuse_stale
from control.changes.write import Write, there
from control.registry.access import Caller
from control.registry.actions import Role, team_permissions_of
from control.registry.granting import why_not_given
from control.registry.owner import TeamOwner
from control.registry.team import Member, NewTeam, Team, told_of_member, told_of_team
from control.store import entries, teams, users
from control.store.audit import Action
from control.store.writes import entries as entry_rows
from control.store.writes import teams as rows


async def create(write: Write, wanted: NewTeam) -> Team:
    """Make a team. StoreConflict `teams_name`."""
    made = await rows.insert(write, wanted)
    await write.announce()
    await write.record("create", "team", made.id, None, told_of_team(made))
    return made


async def change(write: Write, team_id: str, wanted: Mapping[str, Any], version: int | None = None) -> Team:
    """Give a team another `name` or `description`: what `wanted` names. StoreConflict `teams_name`."""
    before = await _locked(write, team_id, version)
    after = await rows.update(write, team_id, replace(before, **wanted))
    await write.announce(teams=[team_id])
    await write.record("update", "team", team_id, told_of_team(before), told_of_team(after))
    return after


async def delete(write: Write, team_id: str, version: int | None = None) -> None:
    """Delete a team with its tokens, memberships and installations. Its members stay users."""
    found_by_it = await entries.discovered_by(write.connection, TeamOwner(team_id))
    before = await _locked(write, team_id, version)
    going = await teams.goes_with(write.connection, team_id)
    await rows.delete(write, team_id)
    await entry_rows.discover_through_another(write, found_by_it)
    await write.announce(
        tokens=going.tokens,
        installations=going.installations,
        users=going.members,
        teams=[team_id],
        gateways=going.gateways,
    )
    await write.record("delete", "team", team_id, told_of_team(before), None)


async def set_member(write: Write, team_id: str, user_id: str, role: Role, version: int | None = None) -> Member:
    """Add a user to a team, or change their role there; StoreConflict `memberships_user_id_fkey`."""
    await _locked(write, team_id, version)
    before = await teams.member(write.connection, team_id, user_id)
    holder = await write.holder("member:update", TeamOwner(team_id))
    for one in (role, role if before is None else before.role):
        _refuse(holder, team_id, team_permissions_of(one))
    await rows.set_member(write, team_id, user_id, role)
    after = there(await teams.member(write.connection, team_id, user_id))
    await write.announce(users=[user_id])
    was = None if before is None else told_of_member(before)
    action: Action = "create" if was is None else "update"
    await write.record(action, "membership", f"{team_id}/{user_id}", was, told_of_member(after))
    return after


async def remove_member(write: Write, team_id: str, user_id: str, version: int | None = None) -> None:
    """Remove a user from a team; they lose the access that the team gave."""
    await _locked(write, team_id, version)
    before, leaver = (
        await teams.member(write.connection, team_id, user_id),
        await users.standing(write.connection, user_id),
    )
    if before is None or leaver is None:
        raise NotThere("member")
    _refuse(await write.holder("member:delete", TeamOwner(team_id)), team_id, leaver.held_for(team_id))
    await rows.remove_member(write, team_id, user_id)
    await write.announce(users=[user_id])
    await write.record("delete", "membership", f"{team_id}/{user_id}", told_of_member(before), None)


def _refuse(holder: Caller, team_id: str, permissions: Collection[str]) -> None:
    """Raise NotAllowed for somebody who may neither give nor take these for the team, since they hold less."""
    if why := why_not_given(holder, permissions, team_id):
        raise NotAllowed(why)


async def _locked(write: Write, team_id: str, version: int | None) -> Team:
    """The team, locked, in the version that the actor read."""
    team = await teams.one(write.connection, team_id, lock=True)
    if team is None:
        raise NotThere("team")
    refuse_stale(version, team.version)
    return team
