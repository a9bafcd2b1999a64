"""Which revision a server is asked with, once it has refused our newest."""

from typing import Any

import orjson
import pytest

from core.egress.addresses import AddressPolicy, parse_networks
from core.egress.faults import UpstreamFault
from core.mcp.versions import LATEST_LEGACY
from proxy.refusals import Refusal
from proxy.upstream.handshake import WIDELY_KNOWN, another_version, initialize
from proxy.upstream.transport import open_transport
from proxy.upstream.unsuccessful import Unsuccessful, error_words
from tests.fakes.call_parts import installation
from tests.fakes.scripted_upstream import Script, ScriptedUpstream, ok

JSON = b"Content-Type: application/json"
ACCEPTED = ok(b"", status=b"202 Accepted")


def error(message: str, code: int = -32602, data: Any = None) -> dict[str, Any]:
    return {"code": code, "message": message} | ({} if data is None else {"data": data})


def said(status: int, message: str, code: int = -32602, data: Any = None) -> Unsuccessful:
    told = error(message, code, data)
    return Unsuccessful(status, told, None, error_words(told))


@pytest.mark.parametrize(
    ("refusal", "other"),
    [
        (said(400, "no", -32022, {"supported": ["2024-11-05", "2025-06-18"], "requested": "x"}), "2025-06-18"),
        (said(200, "Unsupported protocol version", -32602, {"supported": ["2025-03-26"]}), "2025-03-26"),
        (said(400, f"Unsupported version: {LATEST_LEGACY} (supported: 2025-06-18, 2024-11-05)"), "2025-06-18"),
        (Unsuccessful(400, words="Unsupported version, use 2025-03-26"), "2025-03-26"),
        (said(200, "no", -32602, "try 2024-11-05"), "2024-11-05"),
        (said(400, "no", -32022, {"supported": ["2031-01-01"]}), None),
        (Unsuccessful(400), WIDELY_KNOWN),
        (said(200, "Unsupported protocol version"), WIDELY_KNOWN),
        (Unsuccessful(404), None),
        (Unsuccessful(500, words="Unsupported protocol version"), None),
        (said(400, "clientInfo is missing"), None),
        (said(200, "Method not found", -32601), None),
    ],
)  # fmt: skip
def test_the_newest_that_it_names_and_we_speak(refusal: Unsuccessful, other: str | None) -> None:
    assert another_version(LATEST_LEGACY, refusal) == other


def refused(status: bytes, message: str, data: Any = None) -> bytes:
    return ok(
        orjson.dumps({"jsonrpc": "2.0", "id": None, "error": error(message, -32000, data)}), JSON, status=status
    )


def opening(raw: bytes) -> Script:
    asked = orjson.loads(raw.partition(b"\r\n\r\n")[2])
    result = {"protocolVersion": asked["params"]["protocolVersion"], "capabilities": {}, "serverInfo": {}}
    return [ok(orjson.dumps({"jsonrpc": "2.0", "id": asked["id"], "result": result}), JSON)]


def answering(version: object) -> Any:
    def script(raw: bytes) -> Script:
        asked = orjson.loads(raw.partition(b"\r\n\r\n")[2])
        result = {"protocolVersion": version, "capabilities": {}, "serverInfo": {}}
        return [ok(orjson.dumps({"jsonrpc": "2.0", "id": asked["id"], "result": result}), JSON)]

    return script


async def opened(server: ScriptedUpstream, **fields: Any) -> str:
    transport = open_transport(AddressPolicy(parse_networks("127.0.0.0/8")))
    try:
        return (await initialize(transport, installation(f"{server.url}/mcp", **fields))).session.version
    finally:
        await transport.close()


async def test_a_server_is_asked_again_once_with_what_it_named() -> None:
    async with ScriptedUpstream(
        [refused(b"400 Bad Request", "Supported: 2025-06-18")], opening, [ACCEPTED]
    ) as server:
        assert await opened(server) == "2025-06-18"
        assert b'"2025-06-18"' in server.requests[1]
        assert b"mcp-protocol-version: 2025-06-18" in server.requests[2].lower()


async def test_a_server_that_refuses_what_it_named_is_not_asked_for_ever() -> None:
    async with ScriptedUpstream([refused(b"400 Bad Request", "Supported: 2025-06-18")]) as server:
        with pytest.raises(Refusal, match="upstream_era"):
            await opened(server)
        assert len(server.requests) == 2


async def test_a_pinned_revision_is_asked_and_no_other() -> None:
    async with ScriptedUpstream([refused(b"400 Bad Request", "Supported: 2025-06-18")]) as server:
        with pytest.raises(Refusal) as told:
            await opened(server, protocol="legacy", revision="2024-11-05")
        assert b'"2024-11-05"' in server.requests[0]
        assert len(server.requests) == 1
        assert "it offers 2025-06-18, and this installation is pinned to 2024-11-05" in told.value.sentence


@pytest.mark.parametrize(
    ("version", "told"),
    [
        ("2031-01-01", "it offers 2031-01-01; Archway speaks 2024-11-05, "),
        ("2026-07-28", "it offers 2026-07-28; "),
        ("latest", "it offers none that is a date; "),
        (7, "it offers none that is a date; "),
        (None, "it offers none that is a date; "),
    ],
)
async def test_a_revision_that_nobody_here_speaks_is_named(version: object, told: str) -> None:
    async with ScriptedUpstream(answering(version)) as server:
        with pytest.raises(Refusal, match="upstream_era") as refusal:
            await opened(server)
        assert told in refusal.value.sentence


@pytest.mark.parametrize(
    ("answer", "reason", "text"),
    [
        (ok(b"nowhere", b"Content-Type: text/plain", status=b"404 Not Found"), "upstream_status", "nowhere"),
        (refused(b"404 Not Found", "unknown tenant"), "upstream_error", "unknown tenant"),
        (ok(b"<html>", b"Content-Type: text/html", status=b"502 Bad Gateway"), "upstream_status", ""),
        (refused(b"200 OK", "closed on Sundays"), "upstream_broken", ""),  # an answer to nobody
        (ok(b"", status=b"403 Forbidden"), "upstream_credential", ""),
    ],
)  # fmt: skip
async def test_a_refusal_of_another_kind_keeps_its_words(answer: bytes, reason: str, text: str) -> None:
    async with ScriptedUpstream([answer]) as server:
        with pytest.raises((Refusal, UpstreamFault)) as told:
            await opened(server)
        if isinstance(told.value, Refusal):
            assert (told.value.reason, told.value.said) == (reason, text)
        else:
            assert f"upstream_{told.value.reason}" == reason
