"""Changes of gateways, without HTTP and without Redis."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from control.changes import assignments, gateways, oauth_clients
from control.changes.assignments import WantedTools
from control.changes.refusals import NotAllowed, NotThere, Stale
from control.changes.write import Write, changing
from control.registry.access import Caller
from control.registry.broken_rule import BrokenRule
from control.store.pool import Pool, StoreConflict
from tests.fakes.registry import gateway_fields
from tests.unit.control.changes.acting import (
    ADMIN,
    a_client,
    changed,
    discovered,
    forget,
    new_entry,
    new_gateway,
    new_grant,
    new_installation,
    new_user,
    outbox_of,
)

OWN = gateway_fields(slug="own", visibility="personal")


async def member(write: Write, name: str) -> Caller:
    return Caller((await new_user(write, name)).id, name, "member")


async def test_a_gateway_is_kept_with_its_allowlist_in_lower_case(pool: Pool) -> None:
    async with changing(pool, ADMIN) as write:
        made = await new_gateway(write, header_allowlist=("X-B", "x-a"))
    assert (made.slug, made.header_allowlist, made.version) == ("work", ("x-a", "x-b"), 1)


async def test_a_personal_gateway_is_its_maker_s_and_others_do_not_see_it(pool: Pool) -> None:
    async with changing(pool, ADMIN) as write:
        ann, bea = await member(write, "Ann"), await member(write, "Bea")
    async with changing(pool, ann) as write:
        made = await gateways.create(write, OWN)
        assert made.owner_id == ann.user_id
    async with changing(pool, bea) as write:
        with pytest.raises(NotThere):
            await gateways.delete(write, made.id)


@pytest.mark.parametrize("how", ["another slug", "deleted", "another client let in", "another name"])
async def test_proxies_forget_the_clients_whose_tokens_name_a_url_that_may_become_another_gateways(
    pool: Pool, how: str
) -> None:
    """A token names a gateway by its slug: remembered, it would open the one that has the slug next."""
    async with changing(pool, ADMIN) as write:
        made = await new_gateway(write)
        client, _ = await oauth_clients.create(write, a_client())
        await new_grant(write, client, (await new_user(write, "ann")).id, made.id)
    await forget(pool)

    async with changing(pool, ADMIN) as write:
        if how == "deleted":
            await gateways.delete(write, made.id)
        else:
            changes: dict[str, Any] = {"another slug": {"slug": "sales"}, "another name": {"name": "Sales"}}.get(
                how, {"allowed_clients": (client.client_id, "https://another.example/client.json")}
            )
            await gateways.change(write, made.id, lambda before: replace(before, **changes))

    told = [name for kind, name, _ in await outbox_of(pool) if kind == "client"]
    assert told == ([client.client_id] if how in ("another slug", "deleted") else [])


async def test_a_shared_gateway_needs_an_admin(pool: Pool) -> None:
    async with changing(pool, ADMIN) as write:
        ann, made = await member(write, "Ann"), await new_gateway(write)
    async with changing(pool, ann) as write:
        with pytest.raises(NotAllowed):
            await new_gateway(write, "other")
        with pytest.raises(NotAllowed):
            await gateways.change(write, made.id, lambda before: replace(before, name="Mine"))


async def test_a_gateway_with_somebody_s_own_credential_is_not_opened_to_others(pool: Pool) -> None:
    async with changing(pool, ADMIN) as write:
        ann, entry = await member(write, "Ann"), await new_entry(write)
    async with changing(pool, ann) as write:
        installation = await new_installation(write, entry, scope="personal")
        await discovered(write, entry, installation, "search")
        made = await gateways.create(write, OWN)
        await assignments.create(
            write, made.id, WantedTools(entry=entry.id, tools=["*"], installation=installation.id)
        )
    async with changing(pool, ADMIN) as write:
        with pytest.raises(BrokenRule, match="visibility: would lend a person's own credential"):
            await gateways.change(write, made.id, lambda _: gateway_fields(slug="own"))


async def test_a_slug_belongs_to_one_gateway(pool: Pool) -> None:
    with pytest.raises(StoreConflict, match="gateways_slug_key"):
        await changed(pool, new_gateway, new_gateway)


async def test_a_change_on_a_version_that_is_gone_is_refused(pool: Pool) -> None:
    async with changing(pool, ADMIN) as write:
        made = await new_gateway(write)
        with pytest.raises(Stale):
            await gateways.change(write, made.id, lambda before: before, version=2)
        with pytest.raises(Stale):
            await gateways.delete(write, made.id, version=2)
