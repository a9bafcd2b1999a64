from typing import Any

import pytest

from proxy.deps import Deps
from proxy.exchange import Exchange
from proxy.stages.choose_tool import choose_tool
from proxy.stages.compose_headers import compose_headers
from proxy.tracing.call_trace import CallTrace
from proxy.tracing.context import Parent
from tests.fakes.call_parts import exchange, gateway, installation, parts, tool

PARENT = "00-" + "a" * 32 + "-" + "b" * 16 + "-01"
SAID: dict[str, object] = {"traceparent": PARENT, "tracestate": "v=1", "baggage": "tenant=a,secret=s", "vendor/x": 1}


def told(x: Exchange, deps: Deps) -> tuple[dict[str, object], dict[str, str]]:
    choose_tool(x, deps)
    x.installation = x.installation or installation()
    compose_headers(x, deps)
    assert x.outbound is not None
    return x.outbound.meta, x.outbound.headers


def call(**route: Any) -> Exchange:
    return exchange(gateway([tool(**route)]), meta=dict(SAID))


async def test_the_callers_context_passes_in_message_and_headers_and_its_baggage_does_not() -> None:
    async with parts() as deps:
        meta, headers = told(call(), deps)
    context = {"traceparent": PARENT, "tracestate": "v=1"}
    assert meta == context | {"vendor/x": 1}
    assert headers == context


async def test_a_context_in_the_headers_passes_in_both_too() -> None:
    async with parts() as deps:
        x = exchange(gateway([tool()]))
        x.headers |= {"traceparent": PARENT, "tracestate": "v=1", "baggage": "tenant=a"}
        meta, headers = told(x, deps)
    assert meta == headers == {"traceparent": PARENT, "tracestate": "v=1"}


async def test_the_span_of_a_traced_call_is_the_servers_parent() -> None:
    async with parts() as deps:
        x = call()
        x.trace = CallTrace("a" * 32, "c" * 16, Parent("a" * 32, "b" * 16, sampled=True, state="v=1"))
        meta, headers = told(x, deps)
    ours = "00-" + "a" * 32 + "-" + "c" * 16 + "-01"
    assert (meta["traceparent"], headers["traceparent"], headers["tracestate"]) == (ours, ours, "v=1")


async def test_a_trace_that_begins_here_is_told_as_well() -> None:
    async with parts() as deps:
        x = exchange(gateway([tool()]))
        x.trace = CallTrace("d" * 32, "c" * 16, None)
        meta, headers = told(x, deps)
    assert meta == headers == {"traceparent": "00-" + "d" * 32 + "-" + "c" * 16 + "-01"}


async def test_listed_baggage_passes() -> None:
    async with parts(baggage_keys=("tenant",)) as deps:
        meta, headers = told(call(), deps)
    assert (meta["baggage"], headers["baggage"]) == ("tenant=a", "tenant=a")


async def test_a_stdio_server_gets_it_in_the_message_alone() -> None:
    async with parts() as deps:
        meta, headers = told(call(stdio=True), deps)
    assert meta["traceparent"] == PARENT
    assert headers == {}


async def test_remote_servers_are_told_nothing_where_the_settings_say_so() -> None:
    async with parts(trace_to_remote=False, baggage_keys=("tenant",)) as deps:
        x = call()
        x.trace = CallTrace("a" * 32, "c" * 16, None)
        x.headers["traceparent"] = PARENT
        meta, headers = told(x, deps)
    assert meta == {"vendor/x": 1}
    assert headers == {}


async def test_the_installations_own_header_wins() -> None:
    async with parts() as deps:
        x = call()
        x.installation = installation(credential_headers=[("Traceparent", "the credential")])
        _, headers = told(x, deps)
    assert headers["traceparent"] == "the credential"


@pytest.mark.parametrize("text", ["nonsense", PARENT + "\r\nevil: 1", 7])
async def test_what_is_no_context_goes_nowhere(text: object) -> None:
    async with parts() as deps:
        meta, headers = told(exchange(gateway([tool()]), meta={"traceparent": text, "tracestate": "v=1"}), deps)
    assert meta == {}
    assert headers == {}
