from __future__ import annotations

import pytest

from core.mcp.faults import MessageFault
from core.mcp.message import Batch, Notification, Request
from core.mcp.versions import MODERN, Era
from proxy.deps import Deps
from proxy.exchange import Exchange
from proxy.refusals import Refusal
from proxy.sessions.sealed import Session
from proxy.stages.parse import parse
from tests.fakes.proxy_parts import exchange

PING = b'{"jsonrpc":"2.0","id":1,"method":"ping"}'
MODERN_LIST = (
    b'{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"_meta":{'
    b'"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{},'
    b'"io.modelcontextprotocol/clientInfo":{"name":"c","version":"1"}}}}'
)


def posted(body: bytes, **headers: str) -> Exchange:
    x = exchange({})
    x.headers = {"content-type": "application/json"} | {
        name.replace("_", "-"): value for name, value in headers.items()
    }
    x.body = body
    return x


@pytest.mark.parametrize("media_type", ["application/json", "Application/JSON; charset=utf-8"])
async def test_json_of_any_spelling_is_read(deps: Deps, media_type: str) -> None:
    x = posted(PING, content_type=media_type)
    parse(x, deps)
    assert isinstance(x.message, Request)
    assert x.era is Era.LEGACY


@pytest.mark.parametrize("media_type", ["", "text/plain", "application/jsonp", "text/json"])
async def test_another_media_type_is_refused(deps: Deps, media_type: str) -> None:
    with pytest.raises(Refusal, match="media_type"):
        parse(posted(PING, content_type=media_type), deps)


async def test_a_modern_request_leaves_its_session_behind(deps: Deps) -> None:
    x = posted(MODERN_LIST, mcp_protocol_version=MODERN, mcp_method="tools/list")
    x.session = Session("jti", "2025-11-25", 0, 0)
    parse(x, deps)
    assert (x.era, x.session) == (Era.MODERN, None)


async def test_under_a_lost_session_a_client_may_open_another_one(deps: Deps) -> None:
    x = posted(b'{"jsonrpc":"2.0","id":1,"method":"initialize","params":{}}')
    x.session_lost = True
    parse(x, deps)
    assert isinstance(x.message, Request)


@pytest.mark.parametrize(
    "body",
    [
        PING,
        b'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"initialize"}}',
        b'{"jsonrpc":"2.0","method":"initialize"}',
        b'{"jsonrpc":"2.0","method":"notifications/initialized"}',
        b'{"jsonrpc":"2.0","id":1,"result":{}}',
        b'[{"jsonrpc":"2.0","id":1,"method":"initialize"}]',
    ],
)
async def test_under_a_lost_session_nothing_else_is_heard(deps: Deps, body: bytes) -> None:
    x = posted(body)
    x.session_lost = True
    with pytest.raises((Refusal, MessageFault)):
        parse(x, deps)


async def test_routing_headers_must_mirror_the_body(deps: Deps) -> None:
    with pytest.raises(MessageFault) as caught:
        parse(posted(MODERN_LIST, mcp_protocol_version=MODERN, mcp_method="tools/call"), deps)
    assert caught.value.code == -32020


async def test_notifications_and_batches_are_of_the_legacy_era(deps: Deps) -> None:
    told = posted(b'{"jsonrpc":"2.0","method":"notifications/initialized"}')
    several = posted(b"[%b,%b]" % (PING, PING), mcp_protocol_version="2025-03-26")
    several.session = Session("jti", "2025-03-26", 0, 0)
    parse(told, deps)
    parse(several, deps)
    assert isinstance(told.message, Notification)
    assert isinstance(several.message, Batch)
    assert {told.era, several.era} == {Era.LEGACY}
