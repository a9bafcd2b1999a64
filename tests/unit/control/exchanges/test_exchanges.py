"""The token of each caller, got once and kept as long as it is good, at a real provider."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from control.changes import entries, identity_providers
from control.changes.write import changing
from control.credentials.whose import CallerKind
from control.exchanges.exchanges import MARGIN_S, REFUSED_S
from control.exchanges.one_exchange import REST_S
from control.registry.credential import TokenExchange
from control.registry.entry import WantedEntry, entry_fields
from control.store.pool import StoreUnavailable
from core.resolve import InstallationRefusal, TokenProof
from tests.fakes.exchanging import SAFEGUARDS, Exchanging, claims_of, executed
from tests.unit.control.changes.acting import ADMIN


async def test_a_person_gets_a_token_for_the_server_by_their_own_sign_in(rig: Exchanging) -> None:
    ann = await rig.person("ann")
    claims = claims_of((await rig.given(ann)).token)
    assert (claims["sub"], claims["aud"], claims["scope"]) == ("ann", "crm", "read")


async def test_it_is_asked_for_once_however_many_want_it(rig: Exchanging) -> None:
    ann = await rig.person("ann")
    given = await asyncio.gather(*(rig.given(ann) for _ in range(20)))
    again = await rig.given(replace(ann, kind="oauth", proof=TokenProof("1" * 64)))
    assert {one.token for one in given} == {again.token}
    assert await rig.asked() == 1


async def test_nobody_gets_what_is_another_persons(rig: Exchanging) -> None:
    ann, bob = await rig.person("ann"), await rig.person("bob")
    tokens = [(await rig.given(who)).token for who in (ann, bob, ann, bob)]
    assert [claims_of(one)["sub"] for one in tokens] == ["ann", "bob", "ann", "bob"]
    assert await rig.asked() == 2


async def test_a_token_is_for_one_audience_and_its_scopes(rig: Exchanging) -> None:
    ann = await rig.person("ann")
    first = await rig.given(ann)
    await rig.entry(TokenExchange(rig.provider.id, audience="erp", scopes=("read",)))
    other = await rig.given(ann)
    assert (claims_of(first.token)["aud"], claims_of(other.token)["aud"]) == ("crm", "erp")
    async with changing(rig.pool, ADMIN) as write:
        wider = TokenExchange(rig.provider.id, audience="erp", scopes=("read", "write"))
        rig.of_entry = await entries.change(
            write, SAFEGUARDS, rig.of_entry.id, lambda now: WantedEntry(**{**entry_fields(now), "credential": wider})
        )
    assert claims_of((await rig.given(ann)).token)["scope"] == "read write"


@pytest.mark.parametrize("kind", ["provider_token", "ci_job", "external"])
async def test_a_callers_own_token_is_exchanged_and_each_has_its_own_result(
    rig: Exchanging, kind: CallerKind
) -> None:
    wide, narrow = await rig.bearer("ann", kind, scope="all"), await rig.bearer("ann", kind, scope="little")
    first, second, again = [await rig.given(one) for one in (wide, narrow, wide)]
    assert first.token == again.token != second.token
    assert claims_of(second.token)["sub"] == "ann"
    assert await rig.asked() == 2


async def test_a_token_of_another_issuer_is_not_sent_to_the_provider(rig: Exchanging) -> None:
    refusal = await rig.refusal(await rig.bearer("ann", iss="https://other.test"))
    assert refusal.code == "not_allowed"
    assert rig.idp.issuer in refusal.sentence
    assert "a token of https://other.test" in refusal.sentence
    assert await rig.asked() == 0


@pytest.mark.parametrize("kind", ["team_token", "organisation_token", "service_account"])
async def test_who_is_nobody_has_no_token_that_is_exchanged(rig: Exchanging, kind: CallerKind) -> None:
    refusal = await rig.refusal(await rig.person("ann", kind))
    assert (refusal.code, refusal.sentence[:14]) == ("not_allowed", "CRM acts as th")
    assert await rig.asked() == 0


async def test_a_newer_one_is_got_ahead_of_the_end(rig: Exchanging) -> None:
    ann = await rig.person("ann")
    first = await rig.given(ann)
    rig.ahead = 230
    assert (await rig.given(ann)).token == first.token
    rig.ahead = 250
    newer = await rig.given(ann)
    assert newer.token != first.token
    assert newer.obtained_at > first.obtained_at
    assert await rig.asked() == 2


async def test_the_old_one_is_used_while_it_lives_and_the_provider_is_away(rig: Exchanging) -> None:
    ann = await rig.person("ann")
    first = await rig.given(ann)
    await rig.idp.exchanges(away=True)
    rig.ahead = 300 - MARGIN_S - 5
    assert (await rig.given(ann)).token == first.token
    rig.ahead = 300
    refusal = await rig.refusal(ann)
    assert refusal.code == "provider_away"
    assert "nobody has to sign in again" in refusal.sentence


async def test_the_old_one_is_not_used_once_the_provider_says_no(rig: Exchanging) -> None:
    ann = await rig.person("ann")
    _ = await rig.given(ann)
    await rig.idp.exchanges(refuses="access_denied")
    rig.ahead = 250
    assert (await rig.refusal(ann)).code == "not_allowed"
    await rig.idp.exchanges(refuses="")
    rig.ahead = 252
    assert (await rig.refusal(ann)).code == "not_allowed"


async def test_a_server_that_refuses_a_token_leads_to_one_newer_token(rig: Exchanging) -> None:
    ann = await rig.person("ann")
    first = await rig.given(ann)
    second = await rig.given(ann, newer_than=first.obtained_at)
    assert second.token != first.token
    assert (await rig.given(ann)).token == second.token
    assert (await rig.given(ann, newer_than=second.obtained_at)).token == second.token
    assert await rig.asked() == 2
    rig.ahead = 31
    third = await rig.given(ann, newer_than=second.obtained_at)
    assert third.token != second.token


async def test_a_provider_that_fails_is_not_flooded(rig: Exchanging) -> None:
    ann, bob = await rig.person("ann"), await rig.person("bob")
    await rig.idp.exchanges(away=True)
    for who in (ann, ann, bob, ann, bob):
        assert (await rig.refusal(who)).code == "provider_away"
    assert await rig.asked() == 1
    await rig.idp.exchanges(away=False)
    rig.ahead = max(REFUSED_S, REST_S) + 1
    assert (await rig.given(ann)).token


async def test_a_refusal_is_believed_for_moments(rig: Exchanging) -> None:
    ann = await rig.person("ann")
    await rig.idp.exchanges(audiences=["erp"])
    refusals = [await rig.refusal(ann) for _ in range(5)]
    assert {one.code for one in refusals} == {"not_allowed"}
    assert "invalid_target" in refusals[0].sentence
    assert "administrator" in refusals[0].sentence
    assert await rig.asked() == 1
    await rig.idp.exchanges(audiences=None)
    rig.ahead = REFUSED_S + 1
    assert (await rig.given(ann)).token


async def test_who_never_signed_in_is_told_to_and_may_at_once(rig: Exchanging) -> None:
    ann = await rig.person("ann")
    known = rig.sign_ins.people.copy()
    rig.sign_ins.people.clear()
    refusal = await rig.refusal(ann)
    assert (refusal.code, refusal.sentence) == ("needs_sign_in", "Sign in to Archway with Corp, then try again.")
    rig.sign_ins.people.update(known)
    assert (await rig.given(ann)).token


async def test_what_changes_is_not_asked_of_memory(rig: Exchanging) -> None:
    ann = await rig.person("ann")
    _ = await rig.given(ann)
    await rig.exchange(sends_scope=False)
    other = await rig.given(ann)
    assert "scope" not in claims_of(other.token)
    await executed(rig.pool, "update identities set gone_at = now()")
    await rig.idp.person("ann", None)
    rig.sign_ins.people.clear()
    assert (await rig.refusal(ann)).code == "needs_sign_in"


async def test_what_is_got_by_a_sign_in_that_came_meanwhile_is_not_kept_for_when_they_are_nobody_again(
    rig: Exchanging,
) -> None:
    ann = await rig.person("ann")
    await executed(rig.pool, "update identities set gone_at = now()")
    assert (await rig.given(ann)).token  # they have signed in between the question and the run
    rig.sign_ins.people.clear()
    assert (await rig.refusal(ann)).code == "needs_sign_in"


@pytest.mark.parametrize("change", [{"enabled": False}, {"exchange_off": True}])
async def test_a_provider_that_is_off_gives_nothing_that_is_kept(rig: Exchanging, change: dict[str, bool]) -> None:
    ann = await rig.person("ann")
    _ = await rig.given(ann)
    if change.get("exchange_off"):
        await rig.exchange(enabled=False)
    else:
        async with changing(rig.pool, ADMIN) as write:
            await identity_providers.change(
                write, rig.provider.id, lambda now: replace(now, enabled=False), None, SAFEGUARDS
            )
    refusal = await rig.refusal(ann)
    assert refusal.code == "not_allowed"
    assert "Ask an administrator" in refusal.sentence


async def test_whoever_waits_is_told_after_a_while_and_the_run_goes_on(rig: Exchanging) -> None:
    ann = await rig.person("ann")
    await rig.idp.exchanges(holds=True)
    refusal = await rig.refusal(ann, within=0.05)
    assert (refusal.code, refusal.under_way) == ("provider_away", True)
    await rig.idp.exchanges(holds=False)
    assert (await rig.given(ann, within=5.0)).token
    assert await rig.asked() == 1


async def test_whoever_has_one_does_not_wait_long_for_a_newer_one(rig: Exchanging) -> None:
    ann = await rig.person("ann")
    first = await rig.given(ann)
    await rig.idp.exchanges(holds=True)
    rig.ahead = 250
    assert (await rig.given(ann, within=0.05)).token == first.token
    await rig.idp.exchanges(holds=False)


async def test_a_caller_who_leaves_ends_nobodys_exchange(rig: Exchanging) -> None:
    ann = await rig.person("ann")
    await rig.idp.exchanges(holds=True)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.3):
            await rig.token(ann, within=30.0)
    await rig.idp.exchanges(holds=False)
    assert (await rig.given(ann, within=5.0)).token
    assert await rig.asked() == 1


async def test_how_they_ended_is_counted(rig: Exchanging, monkeypatch: pytest.MonkeyPatch) -> None:
    ann, bob = await rig.person("ann"), await rig.person("bob")
    _ = await rig.given(ann)
    await rig.idp.exchanges(audiences=[])
    _ = await rig.refusal(bob)
    assert rig.exchanges.counts.ended == {"exchanged": 1, "refused": 1, "away": 0, "failed": 0}

    async def gone(_wanted: object) -> InstallationRefusal:
        raise StoreUnavailable

    monkeypatch.setattr(rig.one, "of", gone)
    rig.ahead = REFUSED_S + 1
    with pytest.raises(StoreUnavailable):
        await rig.token(bob)
    assert rig.exchanges.counts.ended["failed"] == 1
