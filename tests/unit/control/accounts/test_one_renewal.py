from __future__ import annotations

import asyncio
import logging
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from msgspec.structs import replace as changed

from control.changes import accounts as account_changes
from control.changes import entries as entry_changes
from control.changes import renewals as changes
from control.changes.write import changing
from control.registry.account import AccountTokens, NewAccount
from control.registry.credential import OAuthCredential
from control.registry.entry import Entry, WantedEntry, entry_fields
from control.store.pool import StoreUnavailable
from tests.fakes.renewing import ADMIN, Renewing
from tests.fakes.rotating_provider import CLIENT, Fault, RotatingProvider

LEAST_REST = timedelta(seconds=3)


async def test_an_account_whose_token_has_ended_gets_the_next_one(rig: Renewing, provider: RotatingProvider) -> None:
    ann = await rig.signed_in("ann", ended=True)
    assert provider.takes(await rig.token(ann)) == "ann"
    kept = await rig.account(ann)
    assert (kept.version, kept.fault, kept.failing_since) == (2, "", None)
    assert kept.expires_at is not None
    assert kept.expires_at > datetime.now(UTC) + timedelta(minutes=50)
    assert rig.tokens(kept).refresh_token == provider.families[0].newest


async def test_a_provider_that_gives_no_other_refresh_token_and_no_scope_leaves_those_before(
    rig: Renewing, provider: RotatingProvider
) -> None:
    provider.rotates = False
    ann = await rig.signed_in("ann", ended=True)
    before = rig.tokens(await rig.account(ann)).refresh_token
    await rig.token(ann)
    after = await rig.account(ann)
    assert (rig.tokens(after).refresh_token, after.scopes, after.account_name) == (before, ("read",), "ann")


async def test_scopes_that_the_provider_tells_are_kept(rig: Renewing, provider: RotatingProvider) -> None:
    provider.tells_scope = "read write"
    ann = await rig.signed_in("ann", ended=True)
    await rig.token(ann)
    assert (await rig.account(ann)).scopes == ("read", "write")


@pytest.mark.parametrize("fault", [Fault.BUSY, Fault.DOWN, Fault.PAGE, Fault.NOTHING, Fault.NO_CLIENT])
@pytest.mark.parametrize("ended", [True, False])
async def test_what_is_no_answer_signs_nobody_out(
    rig: Renewing, provider: RotatingProvider, fault: Fault, ended: bool
) -> None:
    ann = await rig.signed_in("ann", ended=ended)
    before = await rig.account(ann)
    provider.faults.extend([fault] * 3)
    came = await rig.renewals.run(ann, before.version, "")
    assert came.is_away
    kept = await rig.account(ann)
    assert (kept.version, kept.refused_at) == (1, None)
    assert kept.fault
    assert kept.failing_since is not None
    assert kept.refresh_at is not None
    assert kept.refresh_at > datetime.now(UTC) + LEAST_REST
    if ended:
        refusal = await rig.refusal(ann)
        assert refusal.code == "provider_away"
        assert "still connected" in refusal.sentence
        assert "nobody has to sign in again" in refusal.sentence
    else:
        assert await rig.token(ann) == "first"
    provider.faults.clear()
    await rig.rested(ann)
    came = await rig.renewals.run(ann, before.version, "")
    assert (came.account is not None, (await rig.account(ann)).fault) == (True, "")


async def test_a_provider_is_left_alone_for_as_long_as_it_says(rig: Renewing, provider: RotatingProvider) -> None:
    ann = await rig.signed_in("ann", ended=True)
    provider.faults.append(Fault.BUSY)
    await rig.refusal(ann)
    refresh_at = (await rig.account(ann)).refresh_at
    assert refresh_at is not None
    assert refresh_at > datetime.now(UTC) + timedelta(seconds=110)
    for _ in range(3):
        assert (await rig.refusal(ann)).code == "provider_away"
    assert len(provider.forms) == 1


async def test_after_an_answer_that_was_lost_the_old_refresh_token_is_tried_once_more(
    rig: Renewing, provider: RotatingProvider
) -> None:
    ann = await rig.signed_in("ann", ended=True)
    provider.faults.append(Fault.LOSES)
    assert provider.takes(await rig.token(ann)) == "ann"
    assert [one["refresh_token"] for one in provider.forms] == [provider.forms[0]["refresh_token"]] * 2
    assert provider.is_signed_in("ann")


async def test_a_strict_provider_signs_out_whose_answer_was_lost_and_that_is_said(
    rig: Renewing, provider: RotatingProvider
) -> None:
    provider.grace_s = 0
    ann = await rig.signed_in("ann", ended=True)
    provider.faults.append(Fault.LOSES)
    assert (await rig.refusal(ann)).code == "needs_sign_in"
    assert (await rig.account(ann)).refused_at is not None


async def test_a_no_that_is_not_repeated_signs_nobody_out(rig: Renewing, provider: RotatingProvider) -> None:
    ann = await rig.signed_in("ann", ended=True)
    provider.faults.append(Fault.NO)
    assert provider.takes(await rig.token(ann)) == "ann"


async def test_a_no_that_is_repeated_needs_a_sign_in_and_proxies_hear_of_it(
    rig: Renewing, provider: RotatingProvider
) -> None:
    ann = await rig.signed_in("ann", ended=True)
    await rig.execute("delete from outbox")
    provider.families[0].is_over = True
    refusal = await rig.refusal(ann)
    assert refusal.code == "needs_sign_in"
    assert "was signed out by its provider" in refusal.sentence
    assert len(provider.forms) == 2
    _, installation, account = await rig.rows(ann)
    assert (installation.state, installation.state_reason) == ("needs_sign_in", refusal.sentence)
    assert account is not None
    assert account.refused_at is not None
    assert "invalid_grant" in account.fault
    assert [row["name"] for row in await rig.execute("select name from outbox")] == [ann]
    assert (await rig.refusal(ann)).code == "needs_sign_in"
    assert len(provider.forms) == 2, "nobody asks again"


async def test_a_no_is_no_end_where_somebody_has_signed_in_meanwhile(
    rig: Renewing, provider: RotatingProvider
) -> None:
    """Between the question and the answer another process has stored newer tokens."""
    ann = await rig.signed_in("ann", ended=True)
    _, installation, before = await rig.rows(ann)
    assert before is not None
    provider.faults.extend([Fault.LATE])
    provider.families[0].is_over = True
    asked = asyncio.Event()
    provider.at_each = asked.set
    run = rig.renewals.run(ann, before.version, "")
    await asked.wait()
    given = {name: getattr(before, name) for name in NewAccount.__dataclass_fields__}
    given["expires_at"] = datetime.now(UTC) + timedelta(hours=1)
    async with changing(rig.pool, ADMIN) as write:
        newer = AccountTokens("newer", "another")
        await account_changes.keep(write, rig.seals, installation, NewAccount(**given), newer)
    came = await run
    assert came.account is not None
    assert rig.tokens(came.account).access_token == "newer"
    assert (await rig.rows(ann))[1].state == "new"


async def test_tokens_of_another_person_are_not_used(rig: Renewing, provider: RotatingProvider) -> None:
    ann = await rig.signed_in("ann", ended=True)
    bob = await rig.signed_in("bob", ended=True)
    provider.faults.append(Fault.ANOTHER)
    refusal = await rig.refusal(ann)
    assert refusal.code == "needs_sign_in"
    assert "another person" in refusal.sentence
    assert rig.tokens(await rig.account(ann)).access_token == "first", "nothing of another person's is stored"
    assert provider.takes(await rig.token(bob)) == "bob"


async def test_without_a_refresh_token_a_person_signs_in_when_the_token_ends(
    rig: Renewing, provider: RotatingProvider
) -> None:
    lives = await rig.signed_in("ann", tokens=AccountTokens("first"), refresh_at=None)
    ended = await rig.signed_in("bob", ended=True, tokens=AccountTokens("first"), refresh_at=None)
    assert await rig.token(lives) == "first"
    refusal = await rig.refusal(ended)
    assert refusal.code == "needs_sign_in"
    assert "gave nothing to renew it with" in refusal.sentence
    assert (await rig.rows(ended))[1].state == "needs_sign_in"
    assert not provider.forms


async def test_a_token_without_a_refresh_token_that_its_server_refuses_is_not_ended_by_that(rig: Renewing) -> None:
    ann = await rig.signed_in("ann", tokens=AccountTokens("first"), refresh_at=None)
    assert (await rig.refusal(ann, refused_version=99)).code == "needs_sign_in"
    assert await rig.token(ann) == "first"


async def test_nothing_is_sent_to_a_host_that_no_admin_approves_any_more(
    rig: Renewing, provider: RotatingProvider
) -> None:
    credential = OAuthCredential(
        registration="own", client_id=CLIENT, issuer="http://127.0.0.1:9", approved_hosts=(provider.url,)
    )
    entry = await rig.entry(credential)
    ann = await rig.signed_in("ann", entry, ended=True, issuer="http://127.0.0.1:9")
    bob = await rig.signed_in("bob", entry, ended=True, issuer="http://127.0.0.1:9")
    assert provider.takes(await rig.token(ann)) == "ann"
    asked = len(provider.forms)
    await _changed(rig, entry.id, replace(_wanted(entry), credential=_without_hosts(credential)))
    refusal = await rig.refusal(bob)
    assert "approved_hosts" in refusal.sentence
    assert len(provider.forms) == asked


async def test_an_entry_that_names_another_provider_gets_nothing_and_finds_all_when_it_comes_back(
    rig: Renewing, provider: RotatingProvider
) -> None:
    entry = await rig.entry()
    ann = await rig.signed_in("ann", entry, ended=True)
    before = _wanted(entry)
    assert isinstance(before.credential, OAuthCredential)
    async with RotatingProvider() as thief:
        moved = OAuthCredential(registration="own", client_id=CLIENT, issuer=thief.url, token_endpoint=thief.endpoint)
        await _changed(rig, entry.id, replace(before, credential=moved, client_secret="other"))
        assert (await rig.refusal(ann)).code == "needs_sign_in"
        assert (await rig.renewals.run(ann, 1, "")).account is None
        assert not thief.forms
    assert not provider.forms
    await _changed(rig, entry.id, replace(before, client_secret="a secret: with + and %"))
    assert provider.takes(await rig.token(ann)) == "ann"


async def test_tokens_are_held_for_a_database_that_is_away(
    rig: Renewing, provider: RotatingProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    ann = await rig.signed_in("ann", ended=True)
    keep, failed = changes.keep, 0

    async def away_at_first(*given: Any) -> Any:
        nonlocal failed
        if failed < 2:
            failed += 1
            raise StoreUnavailable("the database is away")
        return await keep(*given)

    monkeypatch.setattr(changes, "keep", away_at_first)
    monkeypatch.setattr("control.store.lease_waits._STORE_AGAIN_S", 0.01)
    assert provider.takes(await rig.token(ann)) == "ann"
    assert (failed, provider.granted) == (2, 1)


async def test_no_log_line_has_a_token(
    rig: Renewing, provider: RotatingProvider, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    ann = await rig.signed_in("ann", ended=True)
    first = provider.families[0].newest
    token = await rig.token(ann)
    provider.faults.extend([Fault.DOWN])
    await rig.renewals.run(ann, 2, "")
    told = " ".join(str(record.__dict__) for record in caplog.records)
    assert "an account was renewed" in told
    assert not [one for one in (first, token, provider.families[0].newest, "a secret:") if one in told]


def _wanted(entry: Entry) -> WantedEntry:
    return WantedEntry(**entry_fields(entry))


def _without_hosts(credential: OAuthCredential) -> OAuthCredential:
    return changed(credential, approved_hosts=())


async def _changed(rig: Renewing, entry_id: str, wanted: WantedEntry) -> None:
    async with changing(rig.pool, ADMIN) as write:
        await entry_changes.change(write, rig.safeguards, entry_id, lambda _: wanted)
