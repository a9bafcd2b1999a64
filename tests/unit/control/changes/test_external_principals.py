from __future__ import annotations

import pytest

from control.changes import external_principals
from control.changes.refusals import NotThere
from control.changes.write import Write, changing
from control.registry.external_principal import ExternalPrincipal
from control.store.pool import Pool
from tests.fakes.providers import ISSUER, a_person
from tests.unit.control.changes.acting import ADMIN, NOBODY, audit_of, forget, new_provider, outbox_of


async def new_external(write: Write, slug: str = "corp") -> ExternalPrincipal:
    found = await external_principals.seen(write, await new_provider(write, slug, ISSUER), a_person(subject="zoe"))
    assert found is not None
    return found


async def test_an_admins_word_is_heard_and_recorded_once(pool: Pool) -> None:
    async with changing(pool, ADMIN) as write:
        zoe = await new_external(write)
    await forget(pool)
    async with changing(pool, ADMIN) as write:
        out = await external_principals.set_disabled(write, zoe.id, disabled=True)
        again = await external_principals.set_disabled(write, zoe.id, disabled=True)
    assert out == again
    assert out.disabled_at is not None
    assert [(kind, name) for kind, name, _ in await outbox_of(pool)] == [("external", zoe.id)]
    assert len(await audit_of(pool)) == 1
    async with changing(pool, ADMIN) as write:
        back = await external_principals.set_disabled(write, zoe.id, disabled=False)
    assert (back.disabled_at, back.version) == (None, 3)


async def test_nobody_is_shut_out_who_is_not_there(pool: Pool) -> None:
    with pytest.raises(NotThere):
        async with changing(pool, ADMIN) as write:
            await external_principals.set_disabled(write, NOBODY, disabled=True)
