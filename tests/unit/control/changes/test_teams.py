"""Changes of teams and their members, without HTTP and without Redis."""

from __future__ import annotations

import pytest

from control.changes import roles, teams
from control.changes.refusals import NotAllowed, NotThere, Stale
from control.changes.write import changing
from control.registry.access import Caller, GivenSet
from control.registry.team import NewTeam
from control.store.pool import Pool, StoreConflict
from tests.unit.control.changes.acting import (
    ADMIN,
    NOBODY,
    audit_of,
    changed,
    forget,
    new_role,
    new_team,
    new_user,
)


async def test_what_is_not_named_stays(pool: Pool) -> None:
    async with changing(pool, ADMIN) as write:
        red = await teams.create(write, NewTeam(name="Red", description="ours"))
        changed = await teams.change(write, red.id, {"name": "Rot"}, version=1)
    assert (changed.name, changed.description, changed.version) == ("Rot", "ours", 2)


async def test_a_name_belongs_to_one_team_whatever_its_case(pool: Pool) -> None:
    with pytest.raises(StoreConflict, match="teams_name"):
        await changed(pool, lambda write: new_team(write, "Red"), lambda write: new_team(write, "RED"))


async def test_a_change_on_a_version_that_is_gone_is_refused(pool: Pool) -> None:
    async with changing(pool, ADMIN) as write:
        ann = (await new_user(write, "Ann")).id
        red = (await new_team(write, "Red", ann)).id  # its version is 2 by now
        for act in (
            teams.change(write, red, {"name": "B"}, version=1),
            teams.delete(write, red, version=1),
            teams.set_member(write, red, ann, "admin", version=1),
            teams.remove_member(write, red, ann, version=1),
        ):
            with pytest.raises(Stale):
                await act


async def test_nobody_joins_a_team_that_is_not_there_and_nobody_leaves_who_is_not_in_it(pool: Pool) -> None:
    async with changing(pool, ADMIN) as write:
        ann, red = (await new_user(write, "Ann")).id, (await new_team(write, "Red")).id
        with pytest.raises(NotThere, match="team"):
            await teams.set_member(write, NOBODY, ann, "member")
        with pytest.raises(NotThere, match="member"):
            await teams.remove_member(write, red, ann)


async def test_nobody_joins_who_does_not_exist(pool: Pool) -> None:
    with pytest.raises(StoreConflict, match="memberships_user_id_fkey"):
        await changed(pool, lambda write: new_team(write, "Red", NOBODY))


async def test_another_role_is_an_update_of_the_membership(pool: Pool) -> None:
    async with changing(pool, ADMIN) as write:
        ann = (await new_user(write, "Ann")).id
        red = (await new_team(write, "Red", ann)).id
    await forget(pool)
    async with changing(pool, ADMIN) as write:
        assert (await teams.set_member(write, red, ann, "admin")).role == "admin"
    (line,) = await audit_of(pool)
    assert (line["action"], line["object_id"]) == ("update", f"{red}/{ann}")
    assert (line["before"]["role"], line["after"]["role"], line["after"]["name"]) == ("member", "admin", "Ann")


async def test_who_takes_people_in_and_out_leaves_alone_those_who_may_do_more_in_the_team(pool: Pool) -> None:
    async with changing(pool, ADMIN) as write:
        ann, bea, cid = [(await new_user(write, name)).id for name in ("Ann", "Bea", "Cid")]
        red = (await new_team(write, "Red", ann, bea, cid)).id
        await teams.set_member(write, red, bea, "editor")
        await roles.give(write, (await new_role(write, "Reader", "token:read")).id, cid, red)
    keeper = Caller("", "Kay", "member", given=(GivenSet(None, ["member:update", "member:delete"]),))
    async with changing(pool, keeper) as write:
        for act in (
            teams.remove_member(write, red, bea),
            teams.remove_member(write, red, cid),
            teams.set_member(write, red, bea, "member"),
            teams.set_member(write, red, ann, "editor"),
        ):
            with pytest.raises(NotAllowed, match="needs role:grant"):
                await act
        await teams.remove_member(write, red, ann)
    async with changing(pool, Caller("", "Tom", "member", {red: "admin"})) as write:
        await teams.remove_member(write, red, cid)
        await teams.remove_member(write, red, bea)
