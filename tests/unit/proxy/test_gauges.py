import asyncio
import time
from pathlib import Path
from typing import Any

import pytest

from core.egress.addresses import PublicUrl
from core.egress.client import UpstreamFault
from proxy import gauges
from proxy.caches.two_ages import Aged
from proxy.gateways.compiled import CompiledGateway
from proxy.refusals import Refusal
from tests.fakes.call_parts import gateway, worker

COUNTERS = (
    "archway_records_total",
    "archway_records_dropped_total",
    "archway_snapshots_rejected_total",
    "archway_stream_holes_total",
    "archway_stale_uses_total",
    "archway_refusals_unsaid_total",
)


def count(made: Any) -> None:
    deps = made.deps
    deps.records.kept += 2
    deps.records.dropped += 2
    deps.gateways._rejected += 2
    made.changes.holes += 2
    deps.authority.verdicts.memory.stale_uses += 1
    deps.installations.resolved.memory.stale_uses += 1
    deps.refusal_log.unsaid += 2


async def test_a_total_goes_on_where_the_worker_before_left_it(tmp_path: Path) -> None:
    file = str(tmp_path / "counts")
    for lives in (1, 2):
        async with worker(metrics_file=file) as made:
            count(made)
            made.gauges.tell()
            made.gauges.tell()
            assert [made.deps.slots.value(name) for name in COUNTERS] == [2 * lives] * len(COUNTERS)


async def test_what_is_counted_last_is_told_at_the_end(tmp_path: Path) -> None:
    async with worker(metrics_file=str(tmp_path / "counts")) as made:
        made.deps.gateways._rejected += 1
    assert made.deps.slots.value("archway_snapshots_rejected_total") == 1


async def test_telling_goes_on_after_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gauges, "EVERY_S", 0.01)
    async with worker() as made:
        told, whole = asyncio.Event(), made.gauges.tell
        failures = [ZeroDivisionError()]

        def tell() -> None:
            if failures:
                raise failures.pop()
            whole()
            told.set()

        monkeypatch.setattr(made.gauges, "tell", tell)
        _ = made.tasks.spawn("gauges", made.gauges.keep_telling())
        await asyncio.wait_for(told.wait(), 30)


async def test_the_oldest_snapshot_is_told_and_alarms_once_when_it_is_too_old(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with worker() as made:
        held = CompiledGateway(gateway(slug="g"))
        made.deps.gateways._by_name[held.id] = held
        held.confirmed -= gauges.SNAPSHOT_ALARM_S + 1
        for _ in range(2):
            made.gauges.tell()
        assert made.deps.slots.value("archway_snapshot_age_seconds") > gauges.SNAPSHOT_ALARM_S
        assert made.deps.slots.value("archway_gateways_held") == 1
        assert len([line for line in caplog.records if line.message == "snapshots"]) == 1
        assert made.deps.slots.value('archway_snapshot_revision{gateway="g"}') == held.snapshot.revision
        del made.deps.gateways._by_name[held.id]
        made.gauges.tell()
        assert made.deps.slots.value('archway_snapshot_revision{gateway="g"}') == 0


async def _never() -> Any:
    await asyncio.Event().wait()


async def test_what_the_caches_and_pools_count_is_told_by_difference() -> None:
    async with worker() as made:
        deps = made.deps
        verdicts = deps.authority.verdicts.memory
        verdicts.put("known", Aged("a verdict", time.monotonic() - 3))  # type: ignore[arg-type]  # any value does
        for _ in range(2):
            verdicts.fresh("known")
        verdicts.fresh("unknown")
        verdicts.put("old", Aged("a verdict", time.monotonic() - 50))  # type: ignore[arg-type]  # any value does
        verdicts.fresh("old", _never)
        deps.authority.refreshes.questions += 2  # type: ignore[attr-defined]  # a worker's own
        with pytest.raises(Refusal):
            await deps.gateways.load("nothing", "192.0.2.1")
        with pytest.raises(UpstreamFault):
            async with made.egress.request("GET", PublicUrl("http://127.0.0.1:1/"), {}, None, deadline=5):
                pass
        for _ in range(2):
            made.gauges.tell()
        uses = 'archway_cache_uses_total{cache="%s",result="%s"}'
        assert deps.slots.value(uses % ("verdicts", "hit")) == 3
        assert deps.slots.value('archway_cache_used_age_seconds_total{cache="verdicts"}') == pytest.approx(56, abs=1)
        assert deps.slots.value('archway_refreshes_total{cache="verdicts"}') == 1
        assert deps.slots.value('archway_refresh_questions_total{cache="verdicts"}') == 2
        assert deps.slots.value('archway_refreshes_total{cache="connections"}') == 0
        assert deps.slots.value(uses % ("snapshots", "miss")) == 1
        assert deps.slots.value('archway_upstream_connects_total{outcome="failed"}') == 1
