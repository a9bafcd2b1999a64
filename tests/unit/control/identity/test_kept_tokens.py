"""What providers gave at people's own sign-ins, given and refreshed: at a provider that takes a used refresh token
for a stolen one.
"""

from __future__ import annotations

import asyncio
import logging
import time
from dataclasses import replace

import pytest

from control.changes import identities as identity_changes
from control.changes import identity_providers as changes
from control.changes import users
from control.changes.write import changing
from tests.fakes.kept_sign_ins import ADMIN, PAGES, KeptSignIns
from tests.fakes.rotating_provider import Fault, RotatingProvider

NOW = time.time


async def test_a_token_that_lives_is_given_as_it_is(rig: KeptSignIns, provider: RotatingProvider) -> None:
    ann = await rig.signed_in("ann")
    assert (await rig.given(ann)).access_token == "first of ann"
    assert provider.forms == []


@pytest.mark.parametrize("left", [-1.0, 30.0], ids=["ended", "ends within a minute"])
async def test_a_token_that_has_ended_is_refreshed(rig: KeptSignIns, provider: RotatingProvider, left: float) -> None:
    ann = await rig.signed_in("ann", expires_at=NOW() + left)
    tokens = await rig.given(ann)
    assert provider.takes(tokens.access_token) == "ann"
    assert tokens.expires_at > NOW() + 3_000
    assert (await rig.tokens(ann)) == tokens


async def test_fifty_askers_on_four_replicas_and_the_rounds_of_each_use_a_refresh_token_once(
    rig: KeptSignIns, provider: RotatingProvider
) -> None:
    ann = await rig.signed_in("ann", ended=True)
    await rig.due()
    replicas = [rig.first, *[await rig.replica() for _ in range(3)]]
    rounds = [one.presence.ask_about_due() for one in replicas]
    given = [rig.given(ann, replicas[number % 4]) for number in range(50)]
    _, tokens = await asyncio.gather(asyncio.gather(*rounds), asyncio.gather(*given))
    assert {provider.takes(one.access_token) for one in tokens} == {"ann"}
    assert len({form["refresh_token"] for form in provider.forms}) == len(provider.forms)
    assert (provider.reused, len(provider.forms)) == (0, 1)


async def test_a_refresh_by_a_call_is_the_question_whether_the_person_is_there(
    rig: KeptSignIns, provider: RotatingProvider
) -> None:
    ann = await rig.signed_in("ann", ended=True)
    await rig.due()
    await rig.given(ann)
    assert await rig.presence.ask_about_due() == 0
    assert len(provider.forms) == 1


async def test_a_token_that_is_refused_somewhere_is_replaced_once(
    rig: KeptSignIns, provider: RotatingProvider
) -> None:
    ann = await rig.signed_in("ann")
    first = await rig.given(ann)
    second = await rig.given(ann, newer_than=first.obtained_at)
    assert second.access_token != first.access_token
    # So young a one is not replaced: whoever refuses all of them would have the provider asked all day.
    assert await rig.given(ann, newer_than=second.obtained_at) == second
    assert len(provider.forms) == 1


async def test_a_provider_that_is_away_shuts_nobody_out(rig: KeptSignIns, provider: RotatingProvider) -> None:
    ann = await rig.signed_in("ann", ended=True)
    provider.faults.append(Fault.DOWN)
    why, sentence = await rig.why_not(ann)
    assert (why, "answered 503" in sentence, "need not sign in again" in sentence) == ("away", True, True)
    assert (await rig.why_not(ann))[0] == "away"
    assert len(provider.forms) == 1  # it rests
    await rig.rested()
    assert provider.takes((await rig.given(ann)).access_token) == "ann"


async def test_while_it_is_away_what_lives_for_some_seconds_is_given(
    rig: KeptSignIns, provider: RotatingProvider
) -> None:
    ann = await rig.signed_in("ann", expires_at=NOW() + 40)
    provider.faults.append(Fault.DOWN)
    assert (await rig.given(ann)).access_token == "first of ann"
    assert len(provider.forms) == 1


async def test_whoever_waits_no_longer_is_told_and_the_refresh_goes_on(
    rig: KeptSignIns, provider: RotatingProvider
) -> None:
    ann = await rig.signed_in("ann", ended=True)
    provider.faults.append(Fault.LATE)
    why, sentence = await rig.why_not(ann, within=0.01)
    assert (why, "has not answered yet" in sentence) == ("away", True)
    assert provider.takes((await rig.given(ann)).access_token) == "ann"
    assert len(provider.forms) == 1


async def test_invalid_grant_shuts_the_person_out(rig: KeptSignIns, provider: RotatingProvider) -> None:
    ann = await rig.signed_in("ann", ended=True)
    provider.families[0].is_over = True
    why, sentence = await rig.why_not(ann)
    assert (why, f"{PAGES}/sign-in/oidc/corp" in sentence) == ("gone", True)
    ((disabled,),) = await rig.execute("select disabled_at is not null from users where id = $1", ann)
    assert disabled
    assert await rig.tokens(ann) is None


async def test_whoever_never_signed_in_there_is_led_to_where_they_do(rig: KeptSignIns) -> None:
    bea = await rig.user("bea")
    why, sentence = await rig.why_not(bea)
    assert (why, f"sign in at {PAGES}/sign-in/oidc/corp" in sentence) == ("never_signed_in", True)


async def test_nothing_is_kept_of_whom_an_admin_shut_out(rig: KeptSignIns) -> None:
    ann = await rig.signed_in("ann")
    async with changing(rig.pool, ADMIN) as write:
        await users.disable(write, ann)
    assert (await rig.why_not(ann))[0] == "disabled"
    assert await rig.tokens(ann) is None
    async with changing(rig.pool, ADMIN) as write:
        await users.enable(write, ann)
    assert (await rig.why_not(ann))[0] == "not_kept"


@pytest.mark.parametrize(
    "fields", [{"enabled": False}, {"sign_in": False}, {"client_id": "another"}], ids=["off", "no sign-in", "client"]
)
async def test_nothing_is_kept_of_a_provider_with_which_nobody_signs_in_any_more_or_as_another_client(
    rig: KeptSignIns, provider: RotatingProvider, fields: dict[str, object]
) -> None:
    ann = await rig.signed_in("ann")
    async with changing(rig.pool, ADMIN) as write:
        await changes.change(write, rig.corp.id, lambda now: replace(now, **fields), None, rig.safeguards)
    assert (await rig.why_not(ann))[0] == "not_kept"
    assert await rig.tokens(ann) is None
    await rig.due()
    assert await rig.presence.ask_about_due() == 0
    assert provider.is_signed_in("ann")


async def test_what_a_provider_gave_stays_when_its_name_changes(rig: KeptSignIns) -> None:
    ann = await rig.signed_in("ann")
    async with changing(rig.pool, ADMIN) as write:
        await changes.change(write, rig.corp.id, lambda now: replace(now, name="Corporation"), None, rig.safeguards)
    assert (await rig.given(ann)).access_token == "first of ann"


async def test_an_unlinked_identity_takes_its_tokens_along(rig: KeptSignIns) -> None:
    ann = await rig.signed_in("ann")
    identity = await rig.identity(ann)
    async with changing(rig.pool, ADMIN) as write:
        await identity_changes.unlink(write, identity.id)
    assert (await rig.why_not(ann))[0] == "never_signed_in"


async def test_a_deleted_provider_is_said(rig: KeptSignIns) -> None:
    ann = await rig.signed_in("ann")
    async with changing(rig.pool, ADMIN) as write:
        await changes.delete(write, rig.corp.id)
    why, sentence = await rig.why_not(ann)
    assert (why, "not here any more" in sentence) == ("not_kept", True)


async def test_without_a_refresh_token_the_access_token_is_given_to_its_end(
    rig: KeptSignIns, provider: RotatingProvider
) -> None:
    ann = await rig.signed_in("ann", refresh_token="", expires_at=NOW() + 30)
    assert (await rig.given(ann)).access_token == "first of ann"
    await rig.due()
    assert await rig.presence.ask_about_due() == 0  # nobody can be asked with it
    await rig.execute("update identities set tokens_end_at = now() - interval '1 s'")
    await rig.presence.forget_ended()
    assert await rig.tokens(ann) is None
    assert (await rig.why_not(ann))[0] == "not_kept"
    assert provider.forms == []


async def test_what_can_be_refreshed_is_not_forgotten(rig: KeptSignIns) -> None:
    ann = await rig.signed_in("ann", ended=True)
    await rig.presence.forget_ended()
    assert await rig.tokens(ann) is not None


async def test_what_was_sealed_with_a_key_that_is_gone_needs_a_sign_in(
    rig: KeptSignIns, provider: RotatingProvider
) -> None:
    ann, bea = await rig.signed_in("ann"), await rig.signed_in("bea")
    await rig.execute("update identities set tokens = (select tokens from identities where user_id = $1)", bea)
    why, sentence = await rig.why_not(ann)
    assert (why, "cannot be read any more" in sentence) == ("not_kept", True)
    assert provider.forms == []


async def test_no_log_line_has_a_token(
    rig: KeptSignIns, provider: RotatingProvider, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    ann = await rig.signed_in("ann", ended=True)
    refresh_token = provider.families[0].newest
    tokens = await rig.given(ann)
    provider.families[0].is_over = True
    await rig.due()
    await rig.presence.ask_about_due()
    assert "no longer known" in caplog.text
    for secret in (refresh_token, tokens.access_token, tokens.refresh_token):
        assert secret not in caplog.text
        assert secret not in repr(tokens)
