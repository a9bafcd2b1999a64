"""What a worker counts of real calls, as Prometheus would read it."""

from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from core.tokens import new_token
from proxy.telemetry.exposition import render
from tests.fakes.mcp_upstream import McpUpstream
from tests.proxy.conftest import MakeRig, Rig

Counts = dict[tuple[str, ...], float]


def counted(rig: Rig, file: Path) -> Counts:
    """Everything above 0: the name, then the labels' values by the names of the labels."""
    rig.worker.gauges.tell()
    return {
        (sample.name.removeprefix("archway_"), *(value for _, value in sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(render([file]).decode())
        for sample in family.samples
        if sample.value
    }


async def test_calls_are_counted_with_all_that_they_took(
    make_rig: MakeRig, upstream: McpUpstream, tmp_path: Path
) -> None:
    file = tmp_path / "worker-1.counts"
    async with make_rig(metrics_file=str(file)) as rig:
        rig.prepared = None  # every call is counted
        await rig.serve([rig.control.tool("find", "echo", rig.control.installation(upstream.url))], slug="sales")
        for number in range(3):
            await rig.call("find", {"text": str(number)}, gateway="sales")
        await rig.call("lost", gateway="sales")
        await rig.call("find", gateway="sales", token=new_token())
        counts = counted(rig, file)

    wanted = {
        ("requests_total", rig.lane): 5,
        ("authentications_total", "accepted"): 4,
        ("authentications_total", "refused"): 1,
        ("refusals_total", "not_authenticated"): 1,
        ("calls_total", "sales", "server", "ok", "find"): 3,
        ("calls_total", "sales", "other", "tool_unknown", "other"): 1,
        ("call_duration_seconds_count", "sales", "ok"): 3,
        ("call_duration_seconds_count", "sales", "tool_unknown"): 1,
        ("credential_resolutions_total", "asked"): 1,
        ("credential_resolutions_total", "remembered"): 2,
        ("cache_uses_total", "connections", "hit"): 2,
        ("cache_uses_total", "connections", "miss"): 1,
        ("cache_uses_total", "snapshots", "miss"): 1,
        ("cache_uses_total", "verdicts", "hit"): 3,
        ("records_total",): 4,
        ("snapshot_revision", "sales"): 1,
        ("gateways_held",): 1,
    }
    assert {key: counts.get(key, 0) for key in wanted} == wanted
    assert counts["upstream_connects_total", "made"] >= 1
    assert ("upstream_connects_total", "failed") not in counts
    assert counts["bytes_in_total",] > 0
    assert counts["bytes_out_total",] > 0


async def test_a_server_that_cannot_be_reached_is_a_connect_that_failed(make_rig: MakeRig, tmp_path: Path) -> None:
    file = tmp_path / "worker-1.counts"
    async with make_rig(metrics_file=str(file)) as rig:
        await rig.serve([rig.control.tool("find", "echo", rig.control.installation("http://127.0.0.1:1/mcp"))])
        await rig.call("find")
        counts = counted(rig, file)
    assert counts["upstream_connects_total", "failed"] >= 1
    assert ("upstream_connects_total", "made") not in counts
