"""A log, a trace or a metric that nobody takes costs callers nothing, and is counted (row F-16)."""

import asyncio
import logging
import os
import socket
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path

import aiohttp
import pytest

from archway.supervisor.metrics_listener import MetricsListener
from archway.supervisor.sockets import address, listen
from core.logs import json_logging
from proxy.telemetry.exposition import render
from proxy.tracing import sending
from tests.fakes.mcp_upstream import McpUpstream
from tests.proxy.conftest import MakeRig, Rig, eventually

CALLS = 60
WITHIN_S = 20.0
"""For all the calls: far above what they take, far below what any blocked sink would make of it."""


async def calls_are_answered(rig: Rig, upstream: McpUpstream) -> None:
    await rig.serve([rig.control.tool("find", "echo", rig.control.installation(upstream.url))])
    async with asyncio.timeout(WITHIN_S):
        for number in range(CALLS):
            reply = await rig.call("find", {"text": str(number)})
            assert reply.result["content"][0]["text"] == f'{{"text":"{number}"}}'


def told(rig: Rig, name: str) -> float:
    rig.worker.gauges.tell()
    return rig.worker.deps.slots.value(name)


@contextmanager
def a_log_that_nobody_reads() -> Iterator[None]:
    """The process's log in a pipe; the pipe is read only at the end, so that the writing thread can end too."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    reading, writing = os.pipe()
    sink = os.fdopen(writing, "w")
    try:
        with json_logging(sink=sink):
            yield
    finally:
        root.handlers[:], root.level = handlers, level
        os.close(reading)
        with suppress(BrokenPipeError):  # what was still in its buffer
            sink.close()  # or whoever collects it last is told that nobody did


@pytest.mark.parametrize("sink", [pytest.param("log", id="F-16: log: a pipe that nobody reads")])
async def test_calls_go_on_while_nobody_reads_the_log(make_rig: MakeRig, upstream: McpUpstream, sink: str) -> None:
    with a_log_that_nobody_reads():
        async with make_rig() as rig:
            before = told(rig, "archway_log_lines_dropped_total")
            for number in range(30_000):
                logging.getLogger("flood").warning("event", extra={"number": number})
            await calls_are_answered(rig, upstream)
            assert told(rig, "archway_log_lines_dropped_total") > before + 10_000


@asynccontextmanager
async def black_hole() -> AsyncIterator[str]:
    """A collector that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


@pytest.mark.parametrize("sink", [pytest.param("trace", id="F-16: trace: an OTLP black hole")])
async def test_calls_go_on_while_no_collector_takes_their_spans(
    make_rig: MakeRig, upstream: McpUpstream, monkeypatch: pytest.MonkeyPatch, sink: str
) -> None:
    monkeypatch.setattr(sending, "WAITING", 8)
    async with black_hole() as endpoint, make_rig(otlp_endpoint=endpoint, trace_ratio=1.0) as rig:
        await calls_are_answered(rig, upstream)
        await asyncio.sleep(1.2)  # by now the thread is stuck with what had gathered
        await calls_are_answered(rig, upstream)

        async def dropped() -> bool:
            return told(rig, 'archway_spans_total{outcome="dropped"}') >= CALLS - sending.WAITING

        await eventually(dropped)
        assert told(rig, 'archway_spans_total{outcome="sent"}') == 0
        began = time.monotonic()
    assert time.monotonic() - began < 30  # nor is the end of the worker held up for long


@pytest.mark.parametrize("sink", [pytest.param("metric", id="F-16: metric: a scraper that never reads")])
async def test_calls_and_other_scrapes_go_on_while_a_scraper_never_reads(
    make_rig: MakeRig, upstream: McpUpstream, tmp_path: Path, sink: str
) -> None:
    counts = tmp_path / "worker-1.counts"
    big = b"# a comment to be read\n" * 1_000_000
    listener = MetricsListener(tmp_path, lambda: 1, lambda files: render(files) + big, read_within_s=5.0)
    bound = listen("test", "127.0.0.1", 0)
    port = address(bound)[1]
    await listener.open(bound)
    try:
        with socket.socket() as scraper:
            scraper.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            scraper.connect(("127.0.0.1", port))
            scraper.sendall(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")
            async with make_rig(metrics_file=str(counts)) as rig:
                rig.prepared = None  # every call is counted
                await calls_are_answered(rig, upstream)
                async with (
                    aiohttp.ClientSession() as client,
                    client.get(f"http://127.0.0.1:{port}/metrics") as answer,
                ):
                    text = (await answer.read()).decode()
        assert f'tool="find",status="ok"}} {CALLS}\n' in text
    finally:
        await listener.close()
