"""A traced call, from its caller to the server and to a collector."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from tests.fakes.mcp_upstream import McpUpstream
from tests.proxy.conftest import MakeRig

TRACE, CALLER = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"


class Collector:
    """Takes spans."""

    def __init__(self) -> None:
        self.spans: asyncio.Queue[Span] = asyncio.Queue()
        self.url = ""

    async def take(self, request: web.Request) -> web.Response:
        for resource in ExportTraceServiceRequest.FromString(await request.read()).resource_spans:
            for scope in resource.scope_spans:
                for span in scope.spans:
                    self.spans.put_nowait(span)
        return web.Response()

    async def next(self) -> Span:
        return await asyncio.wait_for(self.spans.get(), 30)


@pytest.fixture
async def collector() -> AsyncIterator[Collector]:
    made = Collector()
    app = web.Application()
    app.router.add_post("/v1/traces", made.take)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    made.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield made
    await runner.cleanup()


def attributes(span: Span) -> dict[str, str]:
    return {one.key: one.value.string_value for one in span.attributes}


async def test_a_call_that_its_caller_wants_traced_is_one_span_between_the_callers_and_the_servers(
    make_rig: MakeRig, upstream: McpUpstream, collector: Collector
) -> None:
    async with make_rig(otlp_endpoint=collector.url, trace_ratio=0.0) as rig:
        await rig.serve([rig.control.tool("find", "echo", rig.control.installation(upstream.url))])
        rig.prepared = None  # told of first calls
        reply = await rig.call("find", {"text": "hunter2"}, headers={"traceparent": f"00-{TRACE}-{CALLER}-01"})
        span = await collector.next()
        await rig.call("find", {"text": "x"})  # nobody wants this one traced
    assert reply.status == 200
    assert (span.name, span.trace_id.hex(), span.parent_span_id.hex()) == ("tools/call find", TRACE, CALLER)
    told = attributes(span)
    assert told["archway.request_id"] in reply.headers.values()
    stages = {f"archway.stage.{name}" for name in ("choose_tool", "forward", "receive", "relay")}
    assert stages <= {one.key for one in span.attributes}
    assert "hunter2" not in str(span)
    first, second = upstream.seen_of("tools/call")
    ours = f"00-{TRACE}-{span.span_id.hex()}-01"
    assert first.headers["traceparent"] == ours
    assert first.body["params"]["_meta"]["traceparent"] == ours
    assert "traceparent" not in second.headers
    assert collector.spans.empty()


async def test_a_refused_call_has_a_span_that_says_why(make_rig: MakeRig, collector: Collector) -> None:
    async with make_rig(otlp_endpoint=collector.url, trace_ratio=1.0) as rig:
        await rig.serve([])
        await rig.call("nothing")
        span = await collector.next()
    assert span.name == "tools/call"
    assert attributes(span)["archway.status"] == "tool_unknown"
    assert attributes(span)["error.type"] == "-32602"


async def test_without_a_collector_there_is_no_tracer_and_the_context_passes_all_the_same(
    make_rig: MakeRig, upstream: McpUpstream
) -> None:
    parent = f"00-{TRACE}-{CALLER}-01"
    async with make_rig() as rig:
        assert rig.worker.deps.tracer is None
        await rig.serve([rig.control.tool("find", "echo", rig.control.installation(upstream.url))])
        await rig.call("find", {"text": "x"}, meta={"traceparent": parent, "baggage": "a=b"})
    (received,) = upstream.seen_of("tools/call")
    assert received.headers["traceparent"] == received.body["params"]["_meta"]["traceparent"] == parent
    assert "baggage" not in received.body["params"]["_meta"]
