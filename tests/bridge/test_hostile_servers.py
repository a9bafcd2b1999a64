"""What a server does that crashes, hangs, floods, prints garbage, answers twice or too late, or forks."""

import asyncio
import os
import sys
from pathlib import Path

import pytest

from tests.fakes.bridged import WITHIN_S, Bridge, child


def lives(pid):
    return Path(f"/proc/{pid}").exists()


def zombies_of(pid):
    """The children of a process that have ended and were not waited for."""
    told = [
        one.read_bytes().rpartition(b")")[2].split()[:2] for one in Path("/proc").glob("[0-9]*/stat") if one.exists()
    ]
    return [state for state, parent in told if state == b"Z" and int(parent) == pid]


async def until(true):
    async with asyncio.timeout(WITHIN_S):
        while not true():  # noqa: ASYNC110 - other processes set no event
            await asyncio.sleep(0.02)


async def test_a_server_that_crashes_fails_its_calls_and_is_started_again(legacy):
    held = legacy.begin("hold")
    await legacy.seen("hold")

    crashed = await legacy.call("crash", text="out of cheese")

    assert [crashed.status, (await held).status] == [502, 502]
    assert crashed.last["error"]["message"] == "The server ended while it served this call."
    told = await legacy.logged("the server does not run")
    assert told["cause"] == "crashed"
    assert "status 3" in told["why"]
    assert "out of cheese" in told["why"]
    await legacy.state("ready")
    assert (await legacy.call("echo", text="again")).text == "again"
    assert zombies_of(legacy.pid) == []


async def test_what_is_called_while_the_server_is_away_may_be_tried_again(tmp_path):
    once = child("once", str(tmp_path / "mark"), "legacy")
    async with Bridge(once, tmp_path, "--wait-within", "0.1") as bridge:
        await bridge.ready()
        _ = await bridge.call("crash")
        state = await bridge.state("failed", "crashed")

        refused = await bridge.call("echo")

        assert (await bridge.health())[0] == refused.status == 503
        assert int(refused.headers["Retry-After"]) >= 1
        assert refused.last["id"] is not None
        assert "try again in" in refused.last["error"]["message"]
        assert "status" in state["message"]


async def test_a_server_that_hangs_is_ended_and_started_again(tmp_path):
    impatient = ("--call-within", "0.5", "--ping-within", "0.5", "--stop-within", "0.2")
    async with Bridge(child("legacy"), tmp_path, *impatient) as bridge:
        await bridge.ready()

        hung = await bridge.call("hang")

        assert hung.status == 504
        assert hung.last["error"]["message"] == "The server did not answer within 0.5 s."
        told = await bridge.logged("the server does not run")
        assert told["cause"] == "not_answering"
        await bridge.state("ready")
        assert (await bridge.call("echo", text="again")).text == "again"


async def test_a_call_that_takes_too_long_does_not_end_a_server_that_lives(tmp_path):
    async with Bridge(child("legacy"), tmp_path, "--call-within", "0.3") as bridge:
        await bridge.ready()

        assert (await bridge.call("hold")).status == 504

        for _ in range(3):
            assert (await bridge.call("echo", text="here")).text == "here"
        assert [one["event"] for one in bridge.log()].count("the server answers") == 1


@pytest.mark.parametrize(
    ("size", "head", "tail", "ends"),
    [
        (100_000_000, '{"jsonrpc":"2.0","id":ID,"result":{"x":"', '"}}', True),
        (20_000_000, '{"result":{"x":"', '"},"jsonrpc":"2.0","id":ID}', True),
        (100_000_000, "", "", False),
        (20_000_000, '{"jsonrpc":"2.0","result":{"x":"', '"},"id":ID,"more":1}', False),
    ],
    ids=["an answer, id first", "an answer, id last", "nothing", "an id elsewhere"],
)
async def test_100_mb_on_one_line_cost_one_answer_and_no_memory(legacy, size, head, tail, ends):
    held = legacy.begin("hold", text="of another caller")
    await legacy.seen("hold")
    before = resident(legacy.pid)

    flooded = await legacy.call("flood", bytes=size, head=head, tail=tail, answers=not ends)

    if ends:
        assert flooded.status == 502
        assert "at most 16777216" in flooded.last["error"]["message"]
    else:
        assert flooded.text == "flooded"
    assert resident(legacy.pid) < before + (48 << 20)
    _ = await legacy.call("release")
    assert (await held).text == "of another caller"
    told = await legacy.logged("the server printed a line that is too long")
    assert "bytes on one line" in told["line"]


async def test_garbage_is_written_to_the_log_and_harms_no_call(legacy):
    assert (await legacy.call("garbage")).text == "after garbage"

    _ = await legacy.logged("the server printed what is no message", count=8)
    lines = [one["line"] for one in legacy.log() if one["event"] == "the server printed what is no message"]
    assert [lines[0], len(lines)] == ["Hello!", 8]


async def test_a_server_that_prints_only_garbage_is_named_so(tmp_path):
    printing = [sys.executable, "-c", "import time; print('Welcome!', flush=True); time.sleep(600)"]
    async with Bridge(printing, tmp_path, "--start-within", "0.5", "--stop-within", "0.2") as bridge:
        state = await bridge.state("failed", "bad_output")

        assert "Welcome!" in state["message"]


async def test_a_second_answer_is_nobodys(legacy):
    first, echo = await asyncio.gather(legacy.call("twice"), legacy.call("echo", text="mine"))

    assert [first.text, echo.text, len(first.messages)] == ["first", "mine", 1]
    assert (await legacy.call("echo", text="the next")).text == "the next"
    await legacy.logged("the server answered what nobody waits for")


async def test_an_answer_after_a_cancel_is_nobodys(legacy):
    late = legacy.begin("late")
    await legacy.seen("late")
    late.cancel()

    assert (await legacy.call("echo", text="mine")).text == "mine"
    await legacy.logged("the server answered what nobody waits for")


async def test_what_a_server_forks_ends_with_it(legacy):
    pid = int((await legacy.call("fork")).text)
    assert lives(pid)

    _ = await legacy.call("crash")

    await until(lambda: not lives(pid))
    await legacy.state("ready")
    assert zombies_of(legacy.pid) == []


async def test_what_a_server_forks_ends_with_the_bridge(legacy):
    pid = int((await legacy.call("fork")).text)

    assert await legacy.end() == 0

    assert not lives(pid)


async def test_an_orphan_that_ends_is_no_zombie(legacy):
    pid = int((await legacy.call("fork")).text)
    os.kill(pid, 9)

    await until(lambda: not lives(pid))

    assert zombies_of(legacy.pid) == []


def resident(pid):
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
