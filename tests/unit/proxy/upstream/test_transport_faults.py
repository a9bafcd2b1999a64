"""What each fault of a far side is called, whether a byte was sent, and what it costs; through both transports."""

import asyncio
import gzip
import socket
import tracemalloc

import pytest

from proxy.upstream.transport import Transport
from tests.fakes.outbound_calls import CAP
from tests.fakes.pool_calls import body_of, fault_of, late_fault_of
from tests.fakes.scripted_upstream import CLOSE, FOREVER, HANG, RESET, Script, ScriptedUpstream, head, ok
from tests.plugins.moved_clock import MovedClock

FAULTS: dict[str, tuple[Script, str]] = {
    "closes before the head": ([CLOSE], "broken"),
    "reset before the head": ([RESET], "broken"),
    "closes inside the head": ([b"HTTP/1.1 200 OK\r\nContent-Le", CLOSE], "broken"),
    "reset mid-body": ([head(b"Content-Length: 100"), b"half", RESET], "broken"),
    "closes mid-body": ([head(b"Content-Length: 100"), b"half", CLOSE], "broken"),
    "truncated chunk": ([head(b"Transfer-Encoding: chunked"), b"ff\r\nhalf", CLOSE], "broken"),
    "missing last chunk": ([head(b"Transfer-Encoding: chunked"), b"4\r\nhalf\r\n", CLOSE], "broken"),
    "bad chunk size": ([head(b"Transfer-Encoding: chunked"), b"zz\r\nhalf\r\n0\r\n\r\n"], "broken"),
    "garbage": ([b"\x16\x03\x01 not http at all\r\n\r\n"], "broken"),
    "length and chunks": ([head(b"Content-Length: 3", b"Transfer-Encoding: chunked"), b"0\r\n\r\n"], "broken"),
    "two lengths": ([head(b"Content-Length: 3", b"Content-Length: 4"), b"abcd"], "broken"),
    "20 KiB header": ([head(b"X-Big: " + b"a" * 20_480, b"Content-Length: 0")], "broken"),
    "200 headers": ([head(*(b"X-%d: y" % n for n in range(200)), b"Content-Length: 0")], "broken"),
    "control character in a header": ([head(b"X-A: b\x00c", b"Content-Length: 0")], "broken"),
    "switching protocols": ([head(b"Upgrade: x", b"Connection: upgrade", status=b"101 Switching")], "broken"),
    "compressed twice": ([ok(gzip.compress(gzip.compress(b"a")), b"Content-Encoding: gzip, gzip")], "broken"),
    "unknown encoding": ([ok(b"x", b"Content-Encoding: br")], "broken"),
    "length above the cap": ([head(b"Content-Length: %d" % (CAP + 1)), b"a", HANG], "too_large"),
    "endless body": (
        [head(b"Transfer-Encoding: chunked"), b"10000\r\n" + b"a" * 65536 + b"\r\n", FOREVER],
        "too_large",
    ),
    "endless unframed body": ([head(b"Connection: close"), b"a" * 65536, FOREVER], "too_large"),
    "endless head": ([b"HTTP/1.1 200 OK\r\n", b"X-A: b\r\n" * 500, FOREVER], "broken"),
    "one byte at a time": ([head(b"Content-Length: 9999"), b"a", 0.05, b"a", 0.05, b"a", HANG], "slow"),
    "silence": ([HANG], "slow"),
}


@pytest.mark.parametrize(("script", "reason"), FAULTS.values(), ids=FAULTS.keys())
async def test_a_faulty_answer_has_its_reason_and_its_connection_is_not_used_again(
    transport: Transport, script: Script, reason: str, clock: MovedClock
) -> None:
    async with ScriptedUpstream(script, [ok(b"fine")]) as upstream:
        if reason == "slow":
            fault = await late_fault_of(transport, upstream, clock)
        else:
            fault = await fault_of(transport, upstream.url)
        assert (fault.reason, fault.sent) == (reason, True), fault.detail
        assert await body_of(transport, upstream.url) == b"fine"
        assert upstream.connections == 2


@pytest.mark.parametrize(
    ("script", "figure"),
    [
        (FAULTS["length above the cap"][0], CAP),
        (FAULTS["endless body"][0], CAP),
        (FAULTS["endless unframed body"][0], CAP),
        ([HANG], 60),
        ([head(b"Content-Length: 9999"), b"a", HANG], 60),
        ([CLOSE], None),
    ],
    ids=["length above the cap", "endless body", "endless unframed body", "silence", "silence in a body", "closed"],
)
async def test_a_fault_has_the_figure_that_was_applied(
    transport: Transport, script: Script, figure: float | None, clock: MovedClock
) -> None:
    async with ScriptedUpstream(script) as upstream:
        fault = await (
            late_fault_of(transport, upstream, clock) if figure == 60 else fault_of(transport, upstream.url)
        )
    assert fault.figure == figure


@pytest.mark.parametrize("coding", [b"gzip", b"X-Gzip", b"deflate"])
async def test_what_the_reader_inflates_comes_as_it_is(transport: Transport, coding: bytes) -> None:
    packed = gzip.compress(b"a" * 10_000_000)
    async with ScriptedUpstream([ok(packed, b"Content-Encoding: " + coding)]) as upstream:
        for _ in range(3):
            assert await body_of(transport, upstream.url) == packed
        assert upstream.connections == 1


@pytest.mark.parametrize("size", [8200, 12_000, 16_300])
async def test_a_line_of_the_head_may_have_16_kib(transport: Transport, size: int) -> None:
    lines = (b"Mcp-Session-Id: " + b"s" * size, b"X-Beside: " + b"y" * (16_300 if size < 16_000 else 1))
    async with ScriptedUpstream([ok(b"fine", *lines)]) as upstream:
        assert await body_of(transport, upstream.url) == b"fine"


async def test_early_hints_without_end_end_the_call(transport: Transport, clock: MovedClock) -> None:
    async with ScriptedUpstream([head(status=b"103 Early Hints"), FOREVER]) as upstream, asyncio.TaskGroup() as tasks:
        call = tasks.create_task(fault_of(transport, upstream.url, deadline=60))
        await upstream.seen(1)
        await asyncio.sleep(0.05)
        clock.pass_by(61)
        fault = await call
    assert fault.reason in {"broken", "slow"}  # our pool counts them, aiohttp's client has the deadline
    assert fault.sent


async def test_memory_stays_near_the_cap_when_a_body_has_no_end(transport: Transport) -> None:
    async with ScriptedUpstream([head(b"Connection: close"), b"a" * 65536, FOREVER]) as upstream:
        tracemalloc.start()
        try:
            assert (await fault_of(transport, upstream.url)).reason == "too_large"
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert peak < CAP + 10 * 1024 * 1024


async def test_the_deadline_covers_the_callers_reading(transport: Transport, clock: MovedClock) -> None:
    drip: list[bytes | float] = [head(b"Content-Length: 9999"), *([b"a", 0.02] * 3000)]
    async with ScriptedUpstream(drip) as upstream, asyncio.TaskGroup() as tasks:
        call = tasks.create_task(fault_of(transport, upstream.url, deadline=60))
        await upstream.seen(1)
        await asyncio.sleep(0.05)
        clock.pass_by(61)
        fault = await call
    assert (fault.reason, fault.sent) == ("slow", True)


async def test_a_refused_connection_is_known_to_have_sent_nothing(transport: Transport) -> None:
    with socket.socket() as placeholder:
        placeholder.bind(("127.0.0.1", 0))  # bound and not listening: connections are refused
        fault = await fault_of(transport, f"http://127.0.0.1:{placeholder.getsockname()[1]}")
    assert (fault.reason, fault.sent) == ("refused", False)
