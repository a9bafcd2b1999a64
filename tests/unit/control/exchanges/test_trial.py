"""An admin hears whether the provider exchanges for us, without anybody's token."""

from __future__ import annotations

from typing import Any

import pytest

from control.exchanges.trial import exchange_trial
from tests.fakes.exchanging import SEALS, Exchanging, executed


async def said(rig: Exchanging) -> str:
    return await exchange_trial(rig.asker, SEALS, rig.key_sets)(rig.provider)


async def test_a_provider_that_exchanges_for_us_is_said_nothing_of(rig: Exchanging) -> None:
    assert await said(rig) == ""
    assert await rig.asked() == 1


@pytest.mark.parametrize(
    ("how", "why"),
    [
        ({"clients": []}, "exchanges no tokens for this client: 127.0.0.1"),
        ({"refuses": "unsupported_grant_type"}, "unsupported_grant_type"),
        ({"away": True}, "It cannot be asked for an exchange"),
    ],
)
async def test_what_keeps_it_from_that_is_said(rig: Exchanging, how: dict[str, Any], why: str) -> None:
    await rig.idp.exchanges(**how)
    assert why in await said(rig)


async def test_one_that_does_not_exchange_is_not_asked(rig: Exchanging) -> None:
    await rig.exchange(enabled=False)
    assert await said(rig) == ""
    assert await rig.asked() == 0


async def test_a_secret_that_is_wrong_is_found_out(rig: Exchanging) -> None:
    await executed(rig.pool, "update identity_providers set exchange_client_secret = null")
    await rig.exchange(sends_scope=False, client_authentication="none")
    assert "invalid_client" in await said(rig)
