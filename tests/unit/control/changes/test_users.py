"""Changes of users, without HTTP and without Redis."""

from __future__ import annotations

from dataclasses import fields

import pytest

from control.changes import users
from control.changes.refusals import NotNow, NotThere, Stale
from control.changes.write import changing
from control.store.pool import Pool, StoreConflict, transaction
from core.identifiers import new_id
from tests.unit.control.changes.acting import ADMIN, NOBODY, audit_of, changed, forget, new_user, outbox_of


async def test_what_is_not_named_stays(pool: Pool) -> None:
    async with changing(pool, ADMIN) as write:
        ann = await new_user(write, "Ann")
        changed = await users.change(write, ann.id, {"name": "Anna"}, version=1)
    assert (changed.name, changed.email, changed.role) == ("Anna", "Ann@example.com", "member")
    assert (changed.version, changed.updated_at) == (2, ann.updated_at)


async def test_the_trail_has_every_column_that_is_shown(pool: Pool) -> None:
    async with changing(pool, ADMIN) as write:
        ann = await new_user(write, "Ann")
    (line,) = await audit_of(pool)
    assert set(line["after"]) == {one.name for one in fields(ann)}


async def test_a_change_on_a_version_that_is_gone_is_refused(pool: Pool) -> None:
    async with changing(pool, ADMIN) as write:
        ann = (await new_user(write, "Ann")).id
        for act in (users.change(write, ann, {"name": "B"}, version=2), users.delete(write, ann, version=2)):
            with pytest.raises(Stale):
                await act


@pytest.mark.parametrize("act", [users.disable, users.enable, users.delete])
async def test_nobody_is_changed_who_is_not_there(pool: Pool, act) -> None:
    async with changing(pool, ADMIN) as write:
        with pytest.raises(NotThere, match="There is no such user"):
            await act(write, NOBODY)


async def test_the_last_admin_stays_one_and_may_still_be_renamed(pool: Pool) -> None:
    async with changing(pool, ADMIN) as write:
        root = (await new_user(write, "Root", "admin")).id
        await users.disable(write, (await new_user(write, "Old", "admin")).id)
        for act in (
            users.change(write, root, {"role": "member"}),
            users.disable(write, root),
            users.delete(write, root),
        ):
            with pytest.raises(NotNow, match="the last admin"):
                await act
        assert (await users.change(write, root, {"name": "Chief"})).name == "Chief"


async def test_disabling_twice_is_said_once(pool: Pool) -> None:
    async with changing(pool, ADMIN) as write:
        ann = (await new_user(write, "Ann")).id
    await forget(pool)
    async with changing(pool, ADMIN) as write:
        first, second = await users.disable(write, ann), await users.disable(write, ann)
    assert first.disabled_at is not None
    assert first == second
    assert ([line["action"] for line in await audit_of(pool)], await outbox_of(pool)) == (
        ["disable"], [("user", ann, 0)],
    )  # fmt: skip


async def test_an_address_belongs_to_one_user_whatever_its_case(pool: Pool) -> None:
    with pytest.raises(StoreConflict, match="users_email"):
        await changed(pool, lambda write: new_user(write, "Ann"), lambda write: new_user(write, "ANN"))


async def test_a_user_who_goes_takes_along_what_is_theirs_and_touches_what_is_pinned_to_it(pool: Pool) -> None:
    entry, tool, installation, own, shared = (new_id() for _ in range(5))
    async with changing(pool, ADMIN) as write:
        ann = (await new_user(write, "Ann")).id
    async with transaction(pool) as connection:
        await connection.execute(
            "insert into entries (id, slug, name, kind, url, credential_model) "
            "values ($1, 'crm', 'CRM', 'remote', 'https://crm.test', 'none')",
            entry,
        )
        await connection.execute(
            "insert into entry_tools (id, entry_id, kind, upstream_name, name, definition, definition_sha256) "
            "values ($1, $2, 'tool', 't', 't', '{}', '')",
            tool, entry,
        )  # fmt: skip
        await connection.execute(
            "insert into installations (id, entry_id, name, scope, user_id, bound_origin) "
            "values ($1, $2, 'mine', 'personal', $3, 'https://crm.test')",
            installation, entry, ann,
        )  # fmt: skip
        for gateway, visibility, owner in ((own, "personal", ann), (shared, "organisation", None)):
            await connection.execute(
                "insert into gateways (id, slug, name, visibility, owner_id) values ($1, $2, 'g', $2, $3)",
                gateway, visibility, owner,
            )  # fmt: skip
        await connection.execute(
            "insert into assignments (id, gateway_id, tool_id, exposed_name, installation_id) "
            "values ($1, $2, $3, 't', $4)",
            new_id(), shared, tool, installation,
        )  # fmt: skip
    await forget(pool)
    async with changing(pool, ADMIN) as write:
        await users.delete(write, ann)
    assert await outbox_of(pool) == [
        ("installation", installation, 0), ("user", ann, 0), ("gateway", own, -1), ("gateway", shared, 2),
    ]  # fmt: skip
