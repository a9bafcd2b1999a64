"""Answers that cross (row P-6) and herds that wait for one thing (row F-13)."""

import asyncio

import pytest
from msgspec.structs import replace

from core.redis_names import CHANGES, CHANGES_HEAD
from core.resolve import InstallationQuestion, ResolvedInstallation
from tests.fakes.mcp_upstream import Answer, McpUpstream
from tests.proxy.conftest import MakeRig, Rig

CALLS, CALLERS, WAITERS = 1000, 20, 500


@pytest.mark.parametrize(
    "era",
    [
        pytest.param("modern", id="P-6: 1,000 parallel calls with the same id, modern upstream"),
        pytest.param("legacy", id="P-6: 1,000 parallel calls with the same id, legacy upstream"),
    ],
)
async def test_equal_ids_of_many_callers_never_cross(make_rig: MakeRig, era: str) -> None:
    """CVE-2026-25536: state of one caller in an object that several share."""
    async with (
        McpUpstream(era=era) as server,
        make_rig(
            calls_per_upstream=2 * CALLS, calls_in_flight=4 * CALLS, unknown_per_second=CALLS, call_seconds=280
        ) as rig,
    ):
        server.tool("t", lambda received: Answer(text=received.arguments["marker"], delay=0.01, progress=1))
        await rig.serve([rig.control.tool("t", "t", rig.control.installation(server.url, isolation="shared"))])
        tokens = [rig.control.token() for _ in range(CALLERS)]

        async def call(number: int) -> None:
            marker = f"marker-{number}"
            progress = {"progressToken": "same"} if number % 2 else None
            reply = await rig.call("t", {"marker": marker}, id="same", token=tokens[number % CALLERS], meta=progress)
            assert reply.status == 200, reply.body
            last = reply.events[-1] if progress else reply.json
            assert last["id"] == "same"
            assert last["result"]["content"][0]["text"] == marker

        async with asyncio.TaskGroup() as group:
            for number in range(CALLS):
                group.create_task(call(number))
        assert len(server.seen_of("tools/call")) == CALLS
        assert len({one.id for one in server.seen_of("tools/call")}) == CALLS


async def herd(rig: Rig, server: McpUpstream) -> None:
    """Many at once, while what they all need takes its time."""
    async with asyncio.TaskGroup() as group:
        replies = [group.create_task(rig.call("t")) for _ in range(WAITERS)]
    assert all(reply.result().result["content"] for reply in replies)
    assert not any(reply.result().result.get("isError") for reply in replies)


def forget_copies(rig: Rig) -> None:
    """All that Redis holds is gone but the stream of changes: were that gone too, a worker that notices it in the
    middle of the herd, as one on a busy machine does, would rightly doubt what it has just been told."""
    with rig.redis.client() as client:
        copies = {key.decode() for key in client.scan_iter()} - {CHANGES, CHANGES_HEAD}
        assert copies
        client.delete(*copies)


@pytest.mark.parametrize(
    ("expired", "path"),
    [
        pytest.param("verdicts", "/internal/token", id="F-13: token verdict"),
        pytest.param("connections", "/internal/connection", id="F-13: connection"),
        pytest.param("gateway", "/internal/gateway", id="F-13: gateway"),
    ],
)
async def test_control_is_asked_once_for_all_who_wait(
    make_rig: MakeRig, upstream: McpUpstream, expired: str, path: str
) -> None:
    async with make_rig(calls_per_upstream=2 * WAITERS) as rig:
        gateway = await rig.serve([rig.control.tool("t", "echo", rig.control.installation(upstream.url))])
        await rig.call("t")
        deps = rig.worker.deps
        if expired == "gateway":
            deps.gateways.forget(gateway.id)
        else:
            memory = deps.authority.verdicts.memory if expired == "verdicts" else deps.installations.resolved.memory
            memory.doubt_all()
        forget_copies(rig)
        rig.control.asked.clear()
        rig.control.slow = 0.3

        await herd(rig, upstream)

        assert rig.control.asked.count(path) == 1


@pytest.mark.parametrize(
    ("era", "method"),
    [
        pytest.param("modern", "server/discover", id="F-13: upstream era"),
        pytest.param("legacy", "initialize", id="F-13: upstream session"),
    ],
)
async def test_an_upstream_is_met_once_for_all_who_wait(make_rig: MakeRig, era: str, method: str) -> None:
    async with McpUpstream(era=era) as server, make_rig(calls_per_upstream=2 * WAITERS) as rig:
        await rig.serve([rig.control.tool("t", "echo", rig.control.installation(server.url))])
        await rig.modern("tools/list")

        await herd(rig, server)

        assert len(server.seen_of(method)) == 1
        assert len(server.seen_of("tools/call")) == WAITERS


@pytest.mark.parametrize(
    "era",
    [
        pytest.param("modern", id="F-13: token for a modern upstream"),
        pytest.param("legacy", id="F-13: token for a legacy upstream"),
    ],
)
async def test_a_token_that_an_upstream_refuses_is_renewed_once_for_all_who_meet_it(
    make_rig: MakeRig, era: str
) -> None:
    async with McpUpstream(era=era) as server, make_rig(calls_per_upstream=2 * WAITERS) as rig:
        first = rig.control.installation(server.url, credential_headers=[("authorization", "Bearer 1")])
        second = replace(first, version=2, credential_headers=[("authorization", "Bearer 2")])
        await rig.serve([rig.control.tool("t", "echo", first)])
        server.requires = {"Authorization": "Bearer 1"}
        assert "isError" not in (await rig.call("t")).result
        server.requires = {"Authorization": "Bearer 2"}

        async def renews(_: InstallationQuestion) -> ResolvedInstallation:
            await asyncio.sleep(0.3)
            return second

        rig.control.renews = renews
        seen = len(server.seen)

        await herd(rig, server)

        assert [one.refused_version for one in rig.control.renewals] == [1]
        answered = [one for one in server.seen[seen:] if one.headers["Authorization"] == "Bearer 2"]
        assert len([one for one in answered if one.tool == "echo"]) == WAITERS
        assert len([one for one in answered if one.method == "initialize"]) == (1 if era == "legacy" else 0)
