"""Changes of installations, without HTTP and without Redis."""

from __future__ import annotations

import pytest

from control.changes import installations
from control.changes.refusals import NotAllowed, NotNow, NotThere, Stale
from control.changes.write import Write, changing
from control.registry.access import Caller
from control.registry.broken_rule import BrokenRule
from control.registry.owner import Person
from control.store.pool import Pool
from tests.fakes.registry import BEARER
from tests.unit.control.changes.acting import (
    ADMIN,
    SAFEGUARDS,
    audit_of,
    new_entry,
    new_gateway,
    new_installation,
    new_user,
)


async def member(write: Write, name: str) -> Caller:
    return Caller((await new_user(write, name)).id, name, "member")


async def test_secrets_are_sealed_for_their_installation_and_are_in_no_audit_record(pool: Pool) -> None:
    async with changing(pool, ADMIN) as write:
        made = await new_installation(write, await new_entry(write, credential=BEARER), credential="k3y-of-ours")
        assert made.secret_names == ("credential",)
        opened = SAFEGUARDS.seals.open_secret_values(made.id, made.secret_values)
    assert opened == {"credential": "k3y-of-ours"}
    assert all("k3y-of-ours" not in str(dict(line)) for line in await audit_of(pool))


async def test_a_personal_installation_is_its_maker_s_and_nobody_else_fills_it_in(pool: Pool) -> None:
    async with changing(pool, ADMIN) as write:
        entry, ann, bea = await new_entry(write), await member(write, "Ann"), await member(write, "Bea")
    async with changing(pool, ann) as write:
        made = await new_installation(write, entry, scope="personal")
        assert made.owner == Person(ann.user_id)
    async with changing(pool, bea) as write:
        with pytest.raises(NotThere):
            await installations.change(write, SAFEGUARDS, made.id, {"name": "Mine"})
    async with changing(pool, ADMIN) as write:
        with pytest.raises(NotAllowed, match="Only the owner of this installation"):
            await installations.change(write, SAFEGUARDS, made.id, {"values": {}})


async def test_a_member_installs_for_the_organisation_neither_first_nor_later(pool: Pool) -> None:
    async with changing(pool, ADMIN) as write:
        entry, ann = await new_entry(write), await member(write, "Ann")
        made = await new_installation(write, entry)
    async with changing(pool, ann) as write:
        with pytest.raises(NotAllowed, match="This needs installation:"):
            await new_installation(write, entry, name="Another")
        with pytest.raises(NotAllowed, match="This needs installation:"):
            await installations.delete(write, made.id)


async def test_the_organisation_has_no_two_of_one_name(pool: Pool) -> None:
    async with changing(pool, ADMIN) as write:
        entry = await new_entry(write)
        first = await new_installation(write, entry)
        with pytest.raises(NotNow, match=first.id):
            await new_installation(write, entry)


async def test_new_answers_are_another_credential_to_be_discovered(pool: Pool) -> None:
    async with changing(pool, ADMIN) as write:
        made = await new_installation(write, await new_entry(write, credential=BEARER), credential="old")
        changed = await installations.change(write, SAFEGUARDS, made.id, {"credential": "new"}, version=1)
        assert changed.to_discover
        assert (changed.installation.credential_version, changed.installation.state) == (2, "new")
        renamed = await installations.change(write, SAFEGUARDS, made.id, {"name": "Ours"})
        assert not renamed.to_discover
        assert (await installations.change(write, SAFEGUARDS, made.id, {"protocol": "legacy"})).to_discover
    assert [line["after"].get("secrets_given") for line in (await audit_of(pool))[2:]] == [["credential"], [], []]


async def test_an_entry_that_the_actor_does_not_see_is_no_entry(pool: Pool) -> None:
    async with changing(pool, ADMIN) as write:
        ann = await member(write, "Ann")
        team = await write.connection.fetchval(
            "insert into teams (id, name) values (gen_random_uuid(), 'Red') returning id"
        )
        entry = await new_entry(write, visibility="teams", teams=(team,))
    async with changing(pool, ann) as write:
        with pytest.raises(BrokenRule, match="entry_id: is not the id of an entry"):
            await new_installation(write, entry, scope="personal")


async def test_a_change_on_a_version_that_is_gone_is_refused(pool: Pool) -> None:
    async with changing(pool, ADMIN) as write:
        made = await new_installation(write, await new_entry(write))
        await new_gateway(write)
        with pytest.raises(Stale):
            await installations.change(write, SAFEGUARDS, made.id, {"name": "Ours"}, version=2)
        with pytest.raises(Stale):
            await installations.delete(write, made.id, version=2)


async def test_an_owner_has_one_default_whatever_is_made_changed_and_deleted(pool: Pool) -> None:
    async with changing(pool, ADMIN) as write:
        entry = await new_entry(write)
        first, second, third = [await new_installation(write, entry, name=name) for name in ("a", "b", "c")]
        assert [one.is_default for one in (first, second, third)] == [True, False, False]
        await installations.change(write, SAFEGUARDS, third.id, {"default": True})
        await installations.change(write, SAFEGUARDS, third.id, {"default": True, "name": "d"})
        with pytest.raises(BrokenRule, match="default: cannot be taken away alone"):
            await installations.change(write, SAFEGUARDS, third.id, {"default": False})
        await installations.delete(write, third.id)
        fourth = await new_installation(write, entry, name="e", default=True)
        await installations.delete(write, second.id)
        rows = await write.connection.fetch("select id from installations where is_default")
    assert [row["id"] for row in rows] == [fourth.id]
