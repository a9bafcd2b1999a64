"""Requests that two readers could frame differently, or of an HTTP that we do not serve (rows H-1, H-6).

Each is a good call but for the one thing that its case names. Behind each stands a second, good request: where it is
answered, the two sides of a reverse proxy disagree about where the first one ends.
"""

import pytest

from tests.edge.conftest import (
    FAREWELL,
    HEALTHY,
    Pairs,
    body_of,
    call_bytes,
    conversation,
    is_healthy,
    says,
    serve_echo,
)
from tests.fakes.mcp_upstream import McpUpstream
from tests.fakes.raw_answers import is_refused
from tests.proxy.conftest import Rig

BODY = body_of("hidden")
LENGTH = str(len(BODY))
CHUNKED = b"%x\r\n%b\r\n0\r\n\r\n" % (len(BODY), BODY)
CL, TE = "Content-Length", "Transfer-Encoding"


async def test_the_request_that_the_cases_are_made_from_is_served(rig: Rig, upstream: McpUpstream) -> None:
    await serve_echo(rig, upstream)

    counted, chunked, *health = await conversation(
        rig.port,
        call_bytes(rig, "hidden") + call_bytes(rig, "", framing=[(TE, "chunked")], chunks=CHUNKED),
        0.2,
        FAREWELL,
    )

    assert says(counted, "hidden")
    assert says(chunked, "hidden")
    # What was handed over was the connection's last.
    assert [answer.body for answer in health] == ([HEALTHY] if rig.lane == "aiohttp" else [])


@pytest.mark.parametrize(
    ("framing", "body"),
    [
        pytest.param([(CL, LENGTH), (TE, "chunked")], CHUNKED, id="H-1: CL and TE"),
        pytest.param([(TE, "chunked"), (CL, LENGTH)], CHUNKED, id="H-1: TE and CL"),
        pytest.param([(CL, LENGTH), (CL, "2")], BODY, id="H-1: two CLs that differ"),
        pytest.param([(CL, LENGTH), (CL, LENGTH)], BODY, id="H-1: two CLs the same"),
        pytest.param([(CL, f"+{LENGTH}")], BODY, id="H-1: CL with a plus"),
        pytest.param([(CL, f"{LENGTH}, {LENGTH}")], BODY, id="H-1: CL as a list"),
        pytest.param([(TE, "xchunked")], CHUNKED, id="H-1: TE xchunked"),
        pytest.param([(TE, "chunked, identity")], CHUNKED, id="H-1: TE chunked, identity"),
        pytest.param([(TE, "chunked"), (TE, "chunked")], CHUNKED, id="H-1: TE chunked twice"),
        pytest.param([(TE, "\x0bchunked")], CHUNKED, id="H-1: TE VT chunked"),
        pytest.param([("Content-Length ", LENGTH)], BODY, id="H-1: space before the colon of CL"),
        pytest.param([(CL, LENGTH), ("X-A ", "1")], BODY, id="H-1: space before a colon"),
        pytest.param([(CL, f"{LENGTH}\r\n {LENGTH}")], BODY, id="H-1: obs-fold of CL"),
        pytest.param([(CL, LENGTH), ("X-A", "1\r\n 2")], BODY, id="H-1: obs-fold"),
        pytest.param([(CL, f"{LENGTH}\nX-A: 1")], BODY, id="H-1: bare LF"),
    ],
)
async def test_a_body_of_two_lengths_is_refused_and_the_connection_closed(
    rig: Rig, upstream: McpUpstream, framing: Pairs, body: bytes
) -> None:
    await serve_echo(rig, upstream)
    hostile = call_bytes(rig, "", framing=framing, chunks=body)

    for pieces in ((hostile + FAREWELL,), (hostile[:-60], hostile[-60:], FAREWELL), (*_bytewise(hostile), FAREWELL)):
        (answer,) = await conversation(rig.port, *pieces)

        assert is_refused(answer, 400)
        assert answer.says_close
    assert upstream.seen_of("tools/call") == []
    assert await is_healthy(rig)


@pytest.mark.parametrize("end", [pytest.param(b"\n", id="H-1: bare LF everywhere")])
async def test_lines_that_end_with_a_bare_line_feed_are_refused(rig: Rig, upstream: McpUpstream, end: bytes) -> None:
    await serve_echo(rig, upstream)
    head, _, body = call_bytes(rig, "hidden").partition(b"\r\n\r\n")

    (answer,) = await conversation(rig.port, head.replace(b"\r\n", end) + end + end + body + FAREWELL)

    assert is_refused(answer, 400)
    assert answer.says_close
    assert upstream.seen_of("tools/call") == []


@pytest.mark.parametrize(
    ("version", "status"),
    [
        pytest.param("HTTP/0.9", 400, id="H-6: HTTP/0.9"),
        pytest.param("HTTP/2.0", 400, id="H-6: HTTP/2.0"),
        pytest.param("HTTP/1.2", 400, id="H-6: HTTP/1.2"),
    ],
)
async def test_another_http_on_the_request_line_is_refused(
    rig: Rig, upstream: McpUpstream, version: str, status: int
) -> None:
    await serve_echo(rig, upstream)

    answer, *more = await conversation(rig.port, call_bytes(rig, "hidden", version=version) + FAREWELL)

    assert is_refused(answer, status)
    assert answer.says_close
    assert more == []
    assert upstream.seen_of("tools/call") == []


@pytest.mark.parametrize("line", [b"GET /health\r\n", b"POST /v1/mcp/\n", b"POST /v1/mcp/g\r\n"])
async def test_a_request_line_without_a_version_is_refused_in_http_that_can_be_read(rig: Rig, line: bytes) -> None:
    await rig.serve([])
    request = line + b"Host: 127.0.0.1\r\nContent-Length: 2\r\n\r\n{}"
    for pieces in ([request], _bytewise(request)):
        (answer,) = await conversation(rig.port, *pieces, FAREWELL)

        assert is_refused(answer, 400)
        assert answer.says_close


@pytest.mark.parametrize("protocol", [pytest.param("h2c", id="H-6: Upgrade: h2c"), "websocket"])
async def test_an_upgrade_is_ignored_and_its_body_is_a_body(rig: Rig, upstream: McpUpstream, protocol: str) -> None:
    await serve_echo(rig, upstream)
    upgrade = [
        ("Connection", "Upgrade, HTTP2-Settings"),
        ("Upgrade", protocol),
        ("HTTP2-Settings", "AAMAAABkAAQAoAAAAAIAAAAA"),
    ]
    smuggled = call_bytes(rig, "smuggled")

    (answer,) = await conversation(rig.port, call_bytes(rig, "asked", extra=upgrade) + FAREWELL)
    assert says(answer, "asked")
    assert answer.says_close
    framed = call_bytes(rig, "", framing=[("Content-Length", str(len(smuggled)))], chunks=smuggled, extra=upgrade)
    (answer,) = await conversation(rig.port, framed + FAREWELL)
    assert answer.json["error"]["code"] == -32700
    assert answer.says_close
    assert [one.params["arguments"] for one in upstream.seen_of("tools/call")] == [{"marker": "asked"}]


def _bytewise(raw: bytes) -> list[bytes]:
    return [raw[place : place + 1] for place in range(len(raw))]
