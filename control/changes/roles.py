"""Changes of roles that admins made, and of who holds them. Nobody puts into a role, or gives with one, what they do
not hold; proxies hold nothing of it, since no call depends on a role.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from control.changes.refusals import NotAllowed, NotNow, NotThere, refuse_stale
from control.changes.write import Write, there
from control.registry.access import Caller
from control.registry.actions import ACTIONS, Action, lacking
from control.registry.broken_rule import BrokenRule
from control.registry.granting import why_more_than_held
from control.registry.owner import Organisation, Owner, TeamOwner
from control.registry.role import (
    Holder,
    NewRole,
    Role,
    check_name,
    check_permissions,
    not_for_a_team,
    told_of_holder,
    told_of_role,
)
from control.store import roles
from control.store.writes import roles as rows


async def create(write: Write, wanted: NewRole) -> Role:
    """Make a role, which nobody holds yet. BrokenRule; StoreConflict `roles_name`."""
    checked = _checked(await write.holder("role:create", Organisation()), wanted, ())
    made = await rows.insert(write, checked)
    await write.announce()
    await write.record("create", "role", made.id, None, told_of_role(made))
    return made


async def change(write: Write, role_id: str, wanted: Mapping[str, Any], version: int | None = None) -> Role:
    """Give a role another `name`, `description` or `permissions`: what `wanted` names. Whoever holds it has the new
    ones from their next request on. BrokenRule; StoreConflict `roles_name`.
    """
    before = await _locked(write, role_id, version)
    holder = await write.holder("role:update", Organisation())
    checked = _checked(holder, replace(before, **wanted), before.permissions)
    unfit = not_for_a_team(set(checked.permissions) - set(before.permissions))
    if unfit and await roles.is_held_for_a_team(write.connection, role_id):
        raise NotNow(f"Somebody holds this role for a team, and {unfit[0]} cannot be: make another role with it.")
    after = await rows.update(write, role_id, checked)
    await write.announce()
    await write.record("update", "role", role_id, told_of_role(before), told_of_role(after))
    return after


async def delete(write: Write, role_id: str, version: int | None = None) -> None:
    """Delete a role; whoever held it loses what it gave them."""
    before = await _locked(write, role_id, version)
    await rows.delete(write, role_id)
    await write.announce()
    await write.record("delete", "role", role_id, told_of_role(before), None)


async def give(
    write: Write, role_id: str, user_id: str, team_id: str | None = None, version: int | None = None
) -> Holder:
    """Give somebody a role, for a team that they are in or (None) for the organisation; giving twice is no error.
    BrokenRule; StoreConflict `role_holders_membership` where they are not in the team.
    """
    _refuse_giving(write.actor, team_id)
    role = await _locked(write, role_id, version)
    if why := why_more_than_held(set(role.permissions) - await _held(write, team_id)):
        raise NotAllowed(why)
    if team_id is not None and (unfit := not_for_a_team(role.permissions)):
        raise BrokenRule("team_id", f"is not allowed with this role: {', '.join(unfit)} cannot be held for a team")
    before = await roles.holder(write.connection, role_id, user_id, team_id)
    if before is not None:
        return before
    await rows.give(write, role_id, user_id, team_id)
    after = there(await roles.holder(write.connection, role_id, user_id, team_id))
    await write.announce()
    await write.record("create", "role_holder", _named(after), None, told_of_holder(after))
    return after


async def take(
    write: Write, role_id: str, user_id: str, team_id: str | None = None, version: int | None = None
) -> None:
    """Take a role from somebody, as they hold it for this team or (None) for the organisation. Whoever takes it holds
    all of it that this version knows: nobody brings down a person who may do more.
    """
    _refuse_giving(write.actor, team_id)
    role = await _locked(write, role_id, version)
    if why := why_more_than_held((ACTIONS.keys() & set(role.permissions)) - await _held(write, team_id)):
        raise NotAllowed(why)
    before = await roles.holder(write.connection, role_id, user_id, team_id)
    if before is None:
        raise NotThere("holder")
    await rows.take(write, role_id, user_id, team_id)
    await write.announce()
    await write.record("delete", "role_holder", _named(before), told_of_holder(before), None)


async def _locked(write: Write, role_id: str, version: int | None) -> Role:
    role = await roles.one(write.connection, role_id, lock=True)
    if role is None:
        raise NotThere("role")
    refuse_stale(version, role.version)
    return role


def _refuse_giving(actor: Caller, team_id: str | None) -> None:
    if not actor.may_for("role:grant", _of(team_id)):
        raise NotAllowed(lacking("role:grant"))


async def _held(write: Write, team_id: str | None) -> frozenset[Action]:
    """What the actor holds for what they give a role for. The role is locked before."""
    holder = await write.holder("role:grant", _of(team_id))
    return holder.permissions if team_id is None else holder.permissions_for(team_id)


def _of(team_id: str | None) -> Owner:
    return Organisation() if team_id is None else TeamOwner(team_id)


def _checked(holder: Caller, wanted: NewRole, before: tuple[str, ...]) -> NewRole:
    """What can be saved. What was in the role before may stay, whoever changes it; and what nobody touches, even if
    only a later version knows it.
    """
    check_name(wanted.name)
    permissions = before if wanted.permissions is before else check_permissions(wanted.permissions)
    if why := why_more_than_held(set(permissions) - set(before) - holder.permissions):
        raise NotAllowed(why)
    return NewRole(name=wanted.name, description=wanted.description, permissions=permissions)


def _named(holder: Holder) -> str:
    """For the trail: the role, the person and, if there is one, the team."""
    return "/".join(one for one in (holder.role_id, holder.user_id, holder.team_id) if one)
