"""Wherever an account goes, its provider is told: tokens that were good there are not any more."""

from __future__ import annotations

from typing import Any

import pytest

from control.changes import accounts as account_changes
from control.changes import entries, installations, users
from control.changes.write import Write, changing
from control.registry.account import AccountTokens
from control.store import accounts
from control.store.pool import transaction
from tests.fixtures_people import NOBODY
from tests.fixtures_upstream_accounts import Hosted


async def tokens_of(hosted: Hosted, installation_id: str) -> AccountTokens:
    async with transaction(hosted.deps.pool, readonly=True) as connection:
        account = await accounts.one(connection, installation_id)
    assert account is not None
    return hosted.deps.seals.open_account_tokens(account)


async def good(hosted: Hosted, tokens: AccountTokens) -> bool:
    return bool((await hosted.idp.knows(tokens.refresh_token))["active"])


async def goes(write: Write, hosted: Hosted, how: str, installation: str, user: str) -> Any:
    match how:
        case "disconnected":
            return await account_changes.disconnect(write, installation)
        case "installation deleted":
            return await installations.delete(write, installation)
        case "entry deleted":
            return await entries.delete(write, hosted.entry.id, cascade=True)
        case "person deleted":
            return await users.delete(write, user)


@pytest.mark.parametrize("how", ["disconnected", "installation deleted", "entry deleted", "person deleted"])
async def test_the_provider_is_told_however_an_account_goes(hosted: Hosted, how: str) -> None:
    ann = await hosted.person("Ann")
    installation = await ann.connect("ann")
    await hosted.discovered(installation)
    tokens = await tokens_of(hosted, installation)
    assert await good(hosted, tokens)
    async with changing(hosted.deps.pool, NOBODY) as write:
        await goes(write, hosted, how, installation, ann.user["id"])
    assert await hosted.rows("select 1 from accounts") == []
    assert await hosted.revocations.tell() == 1
    assert not await good(hosted, tokens)
    assert await hosted.rows("select 1 from account_revocations") == []


@pytest.mark.parametrize("how", ["disconnected", "installation deleted", "cancelled"])
async def test_an_account_that_another_installation_has_too_is_not_ended_there(hosted: Hosted, how: str) -> None:
    ann = await hosted.person("Ann")
    stays = await ann.connect("ann")
    await hosted.discovered(stays)
    if how == "cancelled":
        await ann.answer(await ann.come_back("ann", name="Another"), "cancel")
    else:
        goes_away = await ann.connect("ann", name="Another")
        await hosted.discovered(goes_away)
        async with changing(hosted.deps.pool, NOBODY) as write:
            await goes(write, hosted, how, goes_away, ann.user["id"])
    assert await hosted.rows("select 1 from account_revocations") == []
    assert await good(hosted, await tokens_of(hosted, stays))


@pytest.mark.parametrize("word", ["cancel", "another"])
async def test_what_a_person_did_not_want_is_given_back(hosted: Hosted, word: str) -> None:
    ann = await hosted.person("Ann")
    answered = await ann.answer(await ann.come_back("ann"), word)
    assert answered.status == (200 if word == "cancel" else 303)
    (row,) = await hosted.rows("select * from account_revocations")
    assert await hosted.revocations.tell() == 1
    assert await hosted.rows("select 1 from account_revocations") == []
    assert row["client_secret"] is not None
    assert (await hosted.idp.counts())["/token/revocation"] >= 1


async def test_a_sign_in_that_nobody_ended_is_given_back_when_its_time_is_over(hosted: Hosted) -> None:
    ann = await hosted.person("Ann")
    await ann.come_back("ann")
    await hosted.rows("update account_sign_ins set expires_at = now()")
    assert await hosted.unended.sweep() == 1
    assert await hosted.revocations.tell() == 1


async def test_another_account_in_its_place_revokes_the_first_and_the_same_one_does_not(hosted: Hosted) -> None:
    ann = await hosted.person("Ann")
    installation = await ann.connect("ann")
    again = f"{ann.link}?installation={installation}"
    await ann.connect("ann", again)
    assert await hosted.revocations.tell() == 0
    first = await tokens_of(hosted, installation)
    assert await good(hosted, first)
    ann.jar.cookie_jar.clear()
    await ann.connect("bob", again)
    assert await hosted.revocations.tell() == 1
    assert not await good(hosted, first)
    assert await good(hosted, await tokens_of(hosted, installation))


async def test_a_provider_that_is_away_is_told_later_and_given_up_after_a_day(hosted: Hosted) -> None:
    ann = await hosted.person("Ann")
    installation = await ann.connect("ann")
    await hosted.discovered(installation)
    async with changing(hosted.deps.pool, NOBODY) as write:
        await account_changes.disconnect(write, installation)
    await hosted.idp.outage(on=True)
    assert await hosted.revocations.tell() == 1
    assert await hosted.revocations.tell() == 0, "not at once again"
    (row,) = await hosted.rows("select tries, next_at > now() as later from account_revocations")
    assert row == {"tries": 1, "later": True}
    await hosted.rows("update account_revocations set next_at = now(), expires_at = now() - interval '1 second'")
    assert await hosted.revocations.tell() == 1
    assert await hosted.rows("select 1 from account_revocations") == []
