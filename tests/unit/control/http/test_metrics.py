from __future__ import annotations

import re

import pytest
from aiohttp.test_utils import TestClient, TestServer

from control.http import metrics as module
from control.http.metrics import Metrics
from control.store.pool import Pool, close_pool
from tests.fakes.renewing import Renewing
from tests.fakes.rotating_provider import Fault, RotatingProvider


async def told(metrics: Metrics) -> dict[str, float]:
    """All series of one scrape."""
    async with TestClient(TestServer(metrics.application())) as client, client.get("/metrics") as answer:
        assert answer.status == 200
        assert answer.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
        text = await answer.text()
    return {name: float(value) for name, value in re.findall(r"^(archway_\S+) (\S+)$", text, re.MULTILINE)}


async def test_accounts_that_fail_and_revocations_that_wait_are_told(
    database: str, pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "COUNTED_EVERY_S", 0.0)
    async with RotatingProvider() as provider, Renewing(database, provider) as rig:
        metrics = Metrics(pool, rig.renewals)
        ann = await rig.signed_in("ann", ended=True, revocation_endpoint=f"{provider.url}/revoke")
        await rig.signed_in("bob")
        provider.faults.append(Fault.DOWN)
        await rig.refusal(ann)
        first = await told(metrics)
        await rig.execute("delete from accounts where installation_id = $1", ann)
        second = await told(metrics)
    assert first['archway_account_renewals_total{outcome="away"}'] == 1
    names = ("archway_accounts_failing", "archway_account_revocations_waiting")
    assert [first[name] for name in names] == [1, 0]
    assert [second[name] for name in names] == [0, 1]


async def test_the_database_is_asked_once_in_a_while_however_often_somebody_scrapes(
    database: str, pool: Pool
) -> None:
    async with RotatingProvider() as provider, Renewing(database, provider) as rig:
        metrics = Metrics(pool, rig.renewals)
        assert (await told(metrics))["archway_accounts_failing"] == 0
        ann = await rig.signed_in("ann")
        await rig.execute("update accounts set failing_since = now() where installation_id = $1", ann)
        assert (await told(metrics))["archway_accounts_failing"] == 0


async def test_a_database_that_is_away_takes_only_its_own_numbers_along(database: str, pool: Pool) -> None:
    async with RotatingProvider() as provider, Renewing(database, provider) as rig:
        metrics = Metrics(pool, rig.renewals)
        await close_pool(pool)
        found = await told(metrics)
    assert found["archway_account_renewals_under_way"] == 0
    assert "archway_accounts_failing" not in found
