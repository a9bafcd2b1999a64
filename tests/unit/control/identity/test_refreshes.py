"""One refresh of what a provider gave: what is kept of each answer, and what is not."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from control.changes import kept_tokens as changes
from control.identity import refreshes as module
from control.store import lease_waits
from control.store.pool import StoreUnavailable
from tests.fakes.kept_sign_ins import KeptSignIns
from tests.fakes.rotating_provider import Fault, RotatingProvider


async def run(rig: KeptSignIns, user_id: str) -> module.Came:
    identity = await rig.identity(user_id)
    return await rig.first.refreshes.run(identity.id, identity.tokens_version, rig.corp.id)


async def test_what_came_is_stored_when_the_database_is_back(
    rig: KeptSignIns, provider: RotatingProvider, monkeypatch: pytest.MonkeyPatch
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
    monkeypatch.setattr(lease_waits, "_STORE_AGAIN_S", 0.01)
    assert provider.takes((await rig.given(ann)).access_token) == "ann"
    assert (failed, provider.granted) == (2, 1)


async def test_an_answer_that_is_not_believed_leaves_the_next_refresh_token(
    rig: KeptSignIns, provider: RotatingProvider
) -> None:
    """The one before is used up: without the next, the question after this one would sign the person out."""
    ann = await rig.signed_in("ann", ended=True)
    provider.faults.append(Fault.ANOTHER)  # an ID token that nobody signed
    await rig.execute(
        """update identity_provider_states set fetched_at = now(), tried_at = now(),
               keys = '[{"kty": "RSA", "kid": "a", "n": "n", "e": "AQAB"}]'"""
    )
    assert (await run(rig, ann)).fault != ""
    kept = await rig.tokens(ann)
    assert kept is not None
    assert (kept.access_token, kept.id_token, kept.refresh_token) == ("", "", provider.families[0].newest)
    await rig.rested()
    assert provider.takes((await rig.given(ann)).access_token) == "ann"


async def test_while_keys_cannot_be_had_an_access_token_is_kept_and_the_id_token_is_not(
    rig: KeptSignIns, provider: RotatingProvider
) -> None:
    ann = await rig.signed_in("ann", ended=True, id_token="checked before")
    provider.faults.append(Fault.ANOTHER)
    assert (await run(rig, ann)).fault == ""
    kept = await rig.tokens(ann)
    assert kept is not None
    assert (kept.id_token, kept.id_token_is_older) == ("checked before", True)
    assert provider.takes(kept.access_token) == "ann"
    assert (await rig.identity(ann)).fault != ""


async def test_a_client_that_the_provider_does_not_take_shuts_nobody_out(
    rig: KeptSignIns, provider: RotatingProvider
) -> None:
    ann = await rig.signed_in("ann", ended=True)
    provider.faults.append(Fault.NO_CLIENT)
    came = await run(rig, ann)
    assert (came.is_away, "invalid_client" in came.fault) == (False, True)
    assert (await rig.identity(ann)).gone_at is None


async def test_what_is_under_way_comes_to_its_end_when_the_process_ends(
    rig: KeptSignIns, provider: RotatingProvider
) -> None:
    ann = await rig.signed_in("ann", ended=True)
    provider.faults.append(Fault.LATE)
    asked = asyncio.Event()
    provider.at_each = asked.set
    identity = await rig.identity(ann)
    under_way = rig.first.refreshes.run(identity.id, identity.tokens_version, rig.corp.id)
    await asked.wait()
    await rig.first.refreshes.close(grace=30.0)
    assert under_way.result() == module.Came()
    kept = await rig.tokens(ann)
    assert kept is not None
    assert provider.takes(kept.access_token) == "ann"


async def test_so_many_under_way_that_no_other_begins(
    rig: KeptSignIns, provider: RotatingProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST_RUNS", 0)
    ann = await rig.signed_in("ann", ended=True)
    assert (await rig.why_not(ann))[0] == "away"
    assert provider.forms == []
