"""Calls of servers that Archway runs: they are reached where others are not, and a call waits for one that starts."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from archway.up.ports import free_port
from core.resolve import InstallationRefusal, ResolvedInstallation
from core.snapshot import RouteKind
from tests.fakes.mcp_upstream import McpUpstream
from tests.proxy.conftest import Rig, eventually

STARTS = InstallationRefusal("server_starting", "Files is starting. Try again in 5 s.", under_way=True)
HELD_UP = InstallationRefusal("server_starting", "Files is starting. Its image cannot be pulled.")
FAILED = InstallationRefusal("server_failed", "Files does not run: Its program ends again and again. Read its log.")


async def serve(rig: Rig, url: str, kind: RouteKind = "process", **fields: Any) -> ResolvedInstallation:
    held = rig.control.installation(url, kind=kind, **fields)
    await rig.serve([rig.control.tool("t", "echo", held)])
    return held


def resolves_to(rig: Rig, answer: ResolvedInstallation | InstallationRefusal) -> None:
    rig.control.installations = dict.fromkeys(rig.control.installations, answer)


@pytest.mark.parametrize("kind", ["process", "cluster"])
async def test_a_server_that_archway_runs_is_called_where_no_network_is_opened(
    make_rig: Any, upstream: McpUpstream, kind: RouteKind
) -> None:
    async with make_rig(upstream_networks="") as rig:
        await serve(rig, upstream.url, kind)
        for number in (1, 2):
            assert (await rig.call("t", {"n": number})).result["content"][0]["text"] == f'{{"n":{number}}}'


async def test_an_entry_at_the_same_address_is_not(make_rig: Any, upstream: McpUpstream) -> None:
    async with make_rig(upstream_networks="") as rig:
        ours = rig.control.tool("t", "echo", rig.control.installation(upstream.url, kind="process"))
        theirs = rig.control.tool("stolen", "echo", rig.control.installation(upstream.url))
        await rig.serve([ours, theirs])
        assert not (await rig.call("t", {"n": 1})).result.get("isError")
        calls = len(upstream.seen_of("tools/call"))
        assert (await rig.call("stolen", {"n": 1})).refusal["code"] == "upstream_forbidden"
        assert len(upstream.seen_of("tools/call")) == calls


async def test_a_call_waits_for_a_server_that_starts(rig: Rig, upstream: McpUpstream) -> None:
    ready = await serve(rig, upstream.url)
    resolves_to(rig, STARTS)
    async with asyncio.TaskGroup() as group:
        before = len(rig.control.asked)
        call = group.create_task(rig.call("t", {"n": 1}))

        async def is_awaited() -> bool:
            return len(rig.control.asked) >= before + 2  # told that it starts, and has asked again

        await eventually(is_awaited)
        assert not call.done()
        resolves_to(rig, ready)
    assert call.result().result["content"][0]["text"] == '{"n":1}'


@pytest.mark.parametrize(
    ("refusal", "code", "retryable"), [(HELD_UP, "server_starting", True), (FAILED, "server_failed", False)]
)
async def test_a_call_of_a_server_that_does_not_run_is_told_why(
    rig: Rig, upstream: McpUpstream, refusal: InstallationRefusal, code: str, retryable: bool
) -> None:
    await serve(rig, upstream.url)
    resolves_to(rig, refusal)
    reply = await rig.call("t")
    assert (reply.status, reply.result["isError"]) == (200, True)
    assert reply.result["content"][0]["text"] == refusal.sentence
    assert (reply.refusal["code"], reply.refusal["retryable"]) == (code, retryable)


async def test_one_that_refuses_connections_is_restarting_and_called_again_when_it_is_there(
    rig: Rig, upstream: McpUpstream
) -> None:
    held = await serve(rig, f"http://127.0.0.1:{free_port()}/mcp")
    for _ in range(7):  # and no breaker rests
        reply = await rig.call("t")
        assert (reply.refusal["code"], reply.refusal["retryable"]) == ("server_restarting", True)
    assert "is restarting; try again in 5 s." in reply.result["content"][0]["text"]
    resolves_to(rig, rig.control.installation(upstream.url, kind="process", installation_id=held.installation_id))
    await rig.control.announce("installation", held.installation_id, -1)
    for _ in range(500):
        reply = await rig.call("t", {"n": 1})
        if not reply.result.get("isError"):
            break
        await asyncio.sleep(0.02)
    assert reply.result["content"][0]["text"] == '{"n":1}'
