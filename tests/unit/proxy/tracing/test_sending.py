"""The thread that sends spans: nobody waits for it, and what it cannot send is counted."""

import asyncio
import threading
import time
from collections.abc import Sequence

import pytest
from aiohttp import web
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from proxy.tracing import sending
from proxy.tracing.call_trace import Finished
from proxy.tracing.context import Parent
from proxy.tracing.sending import OtlpExporter, Sender

TRACE, SPAN, PARENT = "a" * 32, "b" * 16, "c" * 16


def span(number: int = 0, error: str = "") -> Finished:
    parent = Parent(TRACE, PARENT, sampled=True, state="v=1")
    began = 1_700_000_000_000_000_000
    return Finished(f"span {number}", TRACE, SPAN, parent, began, began + 5, {"archway.status": "ok", "n": 1}, error)


class Scripted:
    """An exporter that waits for `go`, then does as it is told."""

    def __init__(self, takes: bool | Exception = True) -> None:
        self.takes, self.go, self.got = takes, threading.Event(), 0

    def __call__(self, spans: Sequence[Finished]) -> bool:
        self.go.wait(10)
        self.got += len(spans)
        if isinstance(self.takes, Exception):
            raise self.takes
        return self.takes

    def close(self) -> None:
        self.go.set()


@pytest.fixture(autouse=True)
def _few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sending, "WAITING", 10)


def test_what_the_collector_takes_is_counted_as_sent() -> None:
    exporter = Scripted()
    exporter.go.set()
    sender = Sender(exporter, every_s=0.01)
    for number in range(5):
        sender.put(span(number))
    sender.close()
    assert (sender.sent, sender.dropped, exporter.got) == (5, 0, 5)


@pytest.mark.parametrize("takes", [False, ZeroDivisionError("a bug")])
def test_what_it_does_not_take_is_counted_as_dropped(takes: bool | Exception) -> None:
    exporter = Scripted(takes)
    exporter.go.set()
    sender = Sender(exporter, every_s=0.01)
    sender.put(span())
    sender.close()
    assert (sender.sent, sender.dropped) == (0, 1)


def test_a_blocked_collector_holds_up_nobody_and_the_rest_is_dropped() -> None:
    exporter = Scripted()
    sender = Sender(exporter, every_s=0.001)
    sender.put(span())
    deadline = time.monotonic() + 60
    while sender._waiting.qsize() and time.monotonic() < deadline:
        time.sleep(0.001)  # the thread has it, and is stuck
    for number in range(50):
        sender.put(span(number))
    assert sender.dropped == 40
    began = time.monotonic()
    sender.close(within_s=0.1)
    assert time.monotonic() - began < 30
    assert sender.sent + sender.dropped >= 50


async def test_a_collector_gets_spans_as_otlp_whatever_proxy_the_environment_names(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    got: list[tuple[dict[str, str], bytes]] = []

    async def collect(request: web.Request) -> web.Response:
        got.append((dict(request.headers), await request.read()))
        return web.Response()

    app = web.Application()
    app.router.add_post("/v1/traces", collect)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    exporter = OtlpExporter(f"http://127.0.0.1:{runner.addresses[0][1]}", {"authorization": "Bearer x"})
    try:
        assert await asyncio.to_thread(exporter, [span(), span(1, "tool_error")])
    finally:
        exporter.close()
        await runner.cleanup()

    ((headers, body),) = got
    assert headers["Authorization"] == "Bearer x"
    (resource,) = ExportTraceServiceRequest.FromString(body).resource_spans
    assert "archway-proxy" in str(resource.resource)
    first, second = resource.scope_spans[0].spans
    assert (first.trace_id.hex(), first.span_id.hex(), first.parent_span_id.hex()) == (TRACE, SPAN, PARENT)
    assert (first.name, first.trace_state, first.end_time_unix_nano - first.start_time_unix_nano) == (
        "span 0",
        "v=1",
        5,
    )
    assert {one.key for one in first.attributes} == {"archway.status", "n"}
    assert (first.kind, first.status.code, second.status.code) == (2, 0, 2)  # server; unset; error


async def test_a_collector_that_is_away_or_says_no_takes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sending, "TAKEN_WITHIN_S", 0.3)

    async def refuse(request: web.Request) -> web.Response:
        raise web.HTTPTemporaryRedirect("http://127.0.0.1:1/elsewhere")

    app = web.Application()
    app.router.add_post("/v1/traces", refuse)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        for endpoint in (f"http://127.0.0.1:{runner.addresses[0][1]}", "http://127.0.0.1:1"):
            exporter = OtlpExporter(endpoint, {})
            assert not await asyncio.to_thread(exporter, [span()])
            exporter.close()
    finally:
        await runner.cleanup()


@pytest.mark.parametrize(
    ("endpoint", "url"),
    [
        ("http://c:4318", "http://c:4318/v1/traces"),
        ("http://c:4318/", "http://c:4318/v1/traces"),
        ("https://c/otlp", "https://c/otlp/v1/traces"),
        ("https://c/otlp/v1/traces", "https://c/otlp/v1/traces"),
    ],
)
def test_the_url_of_the_traces_is_made_from_the_base(endpoint: str, url: str) -> None:
    assert sending._traces_url(endpoint) == url
