"""Changes of roles and of who holds them, without HTTP and without Redis."""

from __future__ import annotations

import asyncio

import pytest

from control.changes import roles, teams, users
from control.changes.refusals import NotAllowed, NotNow, NotThere, Stale
from control.changes.write import changing
from control.registry.access import Caller, GivenSet
from control.registry.broken_rule import BrokenRule
from control.registry.role import NewRole
from control.store.pool import Pool, StoreConflict, transaction
from control.store.users import caller
from tests.unit.control.changes.acting import ADMIN, NOBODY, audit_of, changed, forget, new_role, new_team, new_user

MAKER = Caller("", "Mia", "member", given=(GivenSet(None, ["role:create", "role:update", "role:grant", "gap:read"]),))


async def held(pool: Pool, user_id: str) -> Caller:
    async with transaction(pool, readonly=True) as connection:
        found = await caller(connection, user_id, "")
    assert found is not None
    return found


async def test_what_is_not_named_stays(pool: Pool) -> None:
    async with changing(pool, ADMIN) as write:
        made = await new_role(write, "Auditor", "audit:read")
        changed = await roles.change(write, made.id, {"name": "Reader"}, version=1)
    assert (changed.name, changed.permissions, changed.version) == ("Reader", ("audit:read",), 2)


async def test_a_name_belongs_to_one_role_whatever_its_case(pool: Pool) -> None:
    with pytest.raises(StoreConflict, match="roles_name"):
        await changed(pool, lambda write: new_role(write, "Auditor"), lambda write: new_role(write, "AUDITOR"))


async def test_who_is_given_a_role_holds_it_until_it_is_taken(pool: Pool) -> None:
    async with changing(pool, ADMIN) as write:
        ann = (await new_user(write, "Ann")).id
        red, blue = (await new_team(write, "Red", ann)).id, (await new_team(write, "Blue", ann)).id
        auditor, giver = await new_role(write, "Auditor", "audit:read"), await new_role(write, "Giver", "token:read")
        await roles.give(write, auditor.id, ann)
        await roles.give(write, giver.id, ann, red)
    them = await held(pool, ann)
    assert them.may("audit:read")
    assert (them.teams_with("token:read"), them.may("token:read")) == ([red], False)
    assert blue in them.teams
    async with changing(pool, ADMIN) as write:
        await roles.take(write, auditor.id, ann)
        await roles.take(write, giver.id, ann, red)
        with pytest.raises(NotThere, match="holder"):
            await roles.take(write, giver.id, ann, red)
    assert (await held(pool, ann)).given == ()


async def test_giving_twice_is_said_once(pool: Pool) -> None:
    async with changing(pool, ADMIN) as write:
        ann, auditor = (await new_user(write, "Ann")).id, await new_role(write, "Auditor", "audit:read")
    await forget(pool)
    async with changing(pool, ADMIN) as write:
        assert await roles.give(write, auditor.id, ann) == await roles.give(write, auditor.id, ann)
    (line,) = await audit_of(pool)
    assert (line["action"], line["object_kind"], line["object_id"]) == (
        "create",
        "role_holder",
        f"{auditor.id}/{ann}",
    )
    assert (line["after"]["role"], line["after"]["name"], line["after"]["team"]) == ("Auditor", "Ann", None)


async def test_what_is_held_for_a_team_ends_with_the_membership_and_survives_another_role_there(pool: Pool) -> None:
    async with changing(pool, ADMIN) as write:
        ann, giver = (await new_user(write, "Ann")).id, await new_role(write, "Giver", "token:read")
        red = (await new_team(write, "Red", ann)).id
        await roles.give(write, giver.id, ann, red)
        await teams.set_member(write, red, ann, "editor")
    assert (await held(pool, ann)).teams_with("token:read") == [red]
    async with changing(pool, ADMIN) as write:
        await teams.remove_member(write, red, ann)
        await teams.set_member(write, red, ann, "member")
    assert (await held(pool, ann)).teams_with("token:read") == []


async def test_nobody_holds_a_role_for_a_team_that_they_are_not_in(pool: Pool) -> None:
    async with changing(pool, ADMIN) as write:
        ann, giver = (await new_user(write, "Ann")).id, (await new_role(write, "Giver", "token:read")).id
        red = (await new_team(write, "Red")).id
    with pytest.raises(StoreConflict, match="role_holders_membership"):
        await changed(pool, lambda write: roles.give(write, giver, ann, red))


async def test_what_cannot_be_held_for_a_team_is_not_given_for_one_nor_put_into_what_is(pool: Pool) -> None:
    async with changing(pool, ADMIN) as write:
        ann, giver = (await new_user(write, "Ann")).id, await new_role(write, "Giver", "token:read")
        red = (await new_team(write, "Red", ann)).id
        with pytest.raises(BrokenRule, match="audit:read cannot be held for a team"):
            await roles.give(write, (await new_role(write, "Auditor", "audit:read")).id, ann, red)
        await roles.give(write, giver.id, ann, red)
        with pytest.raises(NotNow, match="holds this role for a team"):
            await roles.change(write, giver.id, {"permissions": ("token:read", "audit:read")})


async def test_nobody_puts_into_a_role_what_they_do_not_hold(pool: Pool) -> None:
    async with changing(pool, ADMIN) as write:
        auditor = await new_role(write, "Auditor", "audit:read")
    async with changing(pool, MAKER) as write:
        with pytest.raises(NotAllowed, match="you lack audit:read"):
            await new_role(write, "Mine", "gap:read", "audit:read")
        with pytest.raises(NotAllowed, match="you lack entry:create"):
            await roles.change(write, auditor.id, {"permissions": ("audit:read", "entry:create")})
        # What was in it may stay, and may go.
        await roles.change(write, auditor.id, {"permissions": ("audit:read", "gap:read")})
        await roles.change(write, auditor.id, {"permissions": ("gap:read",)})


async def test_nobody_gives_a_role_that_holds_what_they_do_not(pool: Pool) -> None:
    async with changing(pool, ADMIN) as write:
        ann, auditor = (await new_user(write, "Ann")).id, await new_role(write, "Auditor", "audit:read")
        own = await new_role(write, "Gaps", "gap:read")
    async with changing(pool, MAKER) as write:
        with pytest.raises(NotAllowed, match="you lack audit:read"):
            await roles.give(write, auditor.id, ann)
        await roles.give(write, own.id, ann)


async def test_an_admin_of_a_team_gives_and_takes_for_that_team_alone(pool: Pool) -> None:
    async with changing(pool, ADMIN) as write:
        ann, giver = (await new_user(write, "Ann")).id, await new_role(write, "Giver", "token:read")
        red, blue = (await new_team(write, "Red", ann)).id, (await new_team(write, "Blue", ann)).id
    async with changing(pool, Caller("", "Tom", "member", {red: "admin", blue: "editor"})) as write:
        await roles.give(write, giver.id, ann, red)
        for team in (blue, None):
            with pytest.raises(NotAllowed, match="needs role:grant"):
                await roles.give(write, giver.id, ann, team)
            with pytest.raises(NotAllowed, match="needs role:grant"):
                await roles.take(write, giver.id, ann, team)
        await roles.take(write, giver.id, ann, red)


async def test_nobody_takes_a_role_that_holds_what_they_do_not(pool: Pool) -> None:
    async with changing(pool, ADMIN) as write:
        ann, auditor = (await new_user(write, "Ann")).id, await new_role(write, "Auditor", "audit:read")
        own = await new_role(write, "Gaps", "gap:read")
        for role in (auditor, own):
            await roles.give(write, role.id, ann)
    async with changing(pool, MAKER) as write:
        with pytest.raises(NotAllowed, match="you lack audit:read"):
            await roles.take(write, auditor.id, ann)
        await roles.take(write, own.id, ann)


async def test_a_change_on_a_version_that_is_gone_is_refused(pool: Pool) -> None:
    async with changing(pool, ADMIN) as write:
        ann, auditor = (await new_user(write, "Ann")).id, (await new_role(write, "Auditor", "audit:read")).id
        await roles.give(write, auditor, ann)
        for act in (
            roles.change(write, auditor, {"name": "B"}, version=1),
            roles.delete(write, auditor, version=1),
            roles.give(write, auditor, ann, version=1),
            roles.take(write, auditor, ann, version=1),
        ):
            with pytest.raises(Stale):
                await act


async def test_a_role_that_goes_takes_along_what_it_gave_and_is_not_there_afterwards(pool: Pool) -> None:
    async with changing(pool, ADMIN) as write:
        ann, auditor = (await new_user(write, "Ann")).id, (await new_role(write, "Auditor", "audit:read")).id
        await roles.give(write, auditor, ann)
        await roles.delete(write, auditor)
        with pytest.raises(NotThere, match="role"):
            await roles.delete(write, auditor)
    assert not (await held(pool, ann)).may("audit:read")


async def test_nobody_is_given_a_role_who_does_not_exist(pool: Pool) -> None:
    async with changing(pool, ADMIN) as write:
        auditor = (await new_role(write, "Auditor")).id
    with pytest.raises(StoreConflict, match="role_holders_user_id_fkey"):
        await changed(pool, lambda write: roles.give(write, auditor, NOBODY))


async def test_a_role_of_ones_own_does_not_let_anybody_change_a_person_who_may_do_more(pool: Pool) -> None:
    async with changing(pool, ADMIN) as write:
        root, ann = (await new_user(write, "Root", "admin")).id, (await new_user(write, "Ann")).id
        await new_user(write, "Other", "admin")
        auditor = await roles.create(write, NewRole(name="A", description="", permissions=("audit:read",)))
        await roles.give(write, auditor.id, ann)
    helper = Caller("", "Hal", "member", given=(GivenSet(None, ["user:update", "user:disable", "user:delete"]),))
    async with changing(pool, helper) as write:
        for person in (root, ann):
            for act in (
                users.change(write, person, {"email": "me@example.com"}),
                users.disable(write, person),
                users.delete(write, person),
            ):
                with pytest.raises(NotAllowed, match="may do more than you"):
                    await act


async def test_two_who_give_one_person_a_role_at_once_give_it_once(pool: Pool) -> None:
    async with changing(pool, ADMIN) as write:
        ann, auditor = (await new_user(write, "Ann")).id, (await new_role(write, "Auditor", "audit:read")).id
    await forget(pool)
    await asyncio.gather(*(changed(pool, lambda write: roles.give(write, auditor, ann)) for _ in range(4)))
    assert len(await audit_of(pool)) == 1


async def test_a_role_gets_nothing_that_cannot_be_held_for_a_team_while_it_is_given_for_one(pool: Pool) -> None:
    async with changing(pool, ADMIN) as write:
        ann, giver = (await new_user(write, "Ann")).id, (await new_role(write, "Giver", "token:read")).id
        red = (await new_team(write, "Red", ann)).id
    wanted = {"permissions": ("token:read", "audit:read")}

    async def change_meanwhile() -> str:
        try:
            await changed(pool, lambda write: roles.change(write, giver, wanted))
        except NotNow as refused:
            return str(refused)
        return ""

    async with asyncio.TaskGroup() as group, changing(pool, ADMIN) as write:
        await roles.give(write, giver, ann, red)
        other = group.create_task(change_meanwhile())
        done, _ = await asyncio.wait({other}, timeout=0.3)
        assert not done
    assert "holds this role for a team" in other.result()
