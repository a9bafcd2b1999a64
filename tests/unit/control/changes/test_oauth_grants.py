"""Changes of grants: allowed with a code, ended for everybody who stands on them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from control.changes import oauth_clients
from control.changes import oauth_grants as changes
from control.changes.refusals import NotThere
from control.changes.write import Write, changing
from control.registry.access import Caller
from control.registry.oauth_client import OAuthClient
from control.registry.oauth_grant import refusal_of
from control.store import oauth_grants
from control.store.pool import Pool, transaction
from tests.unit.control.changes.acting import ADMIN, a_client, a_grant, new_gateway, new_grant, new_user, outbox_of


async def a_client_and_a_gateway(write: Write) -> tuple[OAuthClient, str]:
    client, _ = await oauth_clients.create(write, a_client())
    return client, (await new_gateway(write)).id


async def rows(pool: Pool, sql: str) -> list[object]:
    async with transaction(pool) as connection:
        return list(await connection.fetch(sql))


async def test_a_grant_counts_once_its_code_was_redeemed(pool: Pool) -> None:
    async with changing(pool, ADMIN) as write:
        client, gateway = await a_client_and_a_gateway(write)
        ann = (await new_user(write, "Ann")).id
        grant = await new_grant(write, client, ann, gateway)
        shown = await oauth_grants.page(write.connection, limit=9, after=None, everything=True, of_user="")

    assert (grant.redeemed_at, refusal_of(grant), grant.scopes) == (None, "", ("mcp",))
    assert shown == []
    assert len(await rows(pool, "select 1 from oauth_codes")) == 1


async def test_what_is_taken_back_takes_its_refresh_tokens_and_the_persons_word_along(pool: Pool) -> None:
    async with changing(pool, ADMIN) as write:
        client, gateway = await a_client_and_a_gateway(write)
        ann = (await new_user(write, "Ann")).id
        grant = await new_grant(write, client, ann, gateway)
        await oauth_grants.begin_family(write.connection, grant.id, b"s" * 16)
    async with changing(pool, ADMIN) as write:
        ended = await changes.revoke(write, grant.id)
        again = await changes.revoke(write, grant.id)

    assert (refusal_of(ended), ended.revoked_for, again) == ("revoked", "asked", ended)
    assert await rows(pool, "select 1 from oauth_refresh_tokens") == []
    assert await rows(pool, "select 1 from oauth_consents") == []


async def test_a_person_takes_back_their_own_and_nobody_elses(pool: Pool) -> None:
    async with changing(pool, ADMIN) as write:
        client, gateway = await a_client_and_a_gateway(write)
        ann, bob = [(await new_user(write, name)).id for name in ("Ann", "Bob")]
        anns, bobs = [await new_grant(write, client, user, gateway) for user in (ann, bob)]
    as_ann = Caller(ann, "Ann", "member")
    async with changing(pool, as_ann) as write:
        assert (await changes.revoke(write, anns.id)).revoked_at is not None
        with pytest.raises(NotThere):
            await changes.revoke(write, bobs.id)
        with pytest.raises(NotThere):
            await changes.revoke_all_of(write, user_id=bob)
        with pytest.raises(NotThere):
            await changes.revoke_all_of(write, client_pk=client.id)


async def test_all_that_a_client_was_allowed_ends_at_once(pool: Pool) -> None:
    async with changing(pool, ADMIN) as write:
        client, gateway = await a_client_and_a_gateway(write)
        other, _ = await oauth_clients.create(write, a_client(name="Other"))
        users = [(await new_user(write, name)).id for name in ("Ann", "Bob")]
        held = [await new_grant(write, client, user, gateway) for user in users]
        write_other = replace(a_grant(other, users[0], gateway))
        await changes.allow(write, write_other, "f" * 64, redirect_uri="https://a/b", challenge="c" * 43)
    async with changing(pool, ADMIN) as write:
        assert await changes.revoke_all_of(write, client_pk=client.id) == 2
        assert await changes.revoke_all_of(write, client_pk=client.id) == 0

    told = [name for kind, name, _ in await outbox_of(pool) if kind == "grant"]
    assert sorted(told) == sorted(one.id for one in held)


async def test_a_client_by_itself_has_one_grant_a_gateway_until_that_ends(pool: Pool) -> None:
    async with changing(pool, ADMIN) as write:
        client, gateway = await a_client_and_a_gateway(write)
        one = await changes.allow_itself(write, a_grant(client, None, gateway))
        same = await changes.allow_itself(write, a_grant(client, None, gateway))
        await changes.revoke(write, one.id)
        next_one = await changes.allow_itself(write, a_grant(client, None, gateway))

    assert one.id == same.id != next_one.id
    assert next_one.redeemed_at is not None
