"""What a connection does, told with raw sockets: order, cuts, ends, versions, trailers and sizes, in each lane.

What one lane hands to the other is answered with `Connection: close`, and then nothing more on that connection: a
case that may end so says `in ([...], [])`.
"""

import asyncio
import contextlib
import json
import socket

import pytest

from tests.edge.conftest import (
    FAREWELL,
    GATEWAY,
    HEALTH,
    HEALTHY,
    Pairs,
    RawConnection,
    body_of,
    call_bytes,
    connected,
    conversation,
    is_healthy,
    says,
    serve_echo,
)
from tests.fakes.mcp_upstream import Answer, McpUpstream
from tests.fakes.raw_answers import is_refused
from tests.fakes.raw_http import request_bytes
from tests.proxy.conftest import Rig, eventually, modern_request

METADATA = request_bytes("GET", f"/.well-known/oauth-protected-resource{GATEWAY}", [("Host", "127.0.0.1")])
"""Served, and rarely: the fast lane hands it over."""


async def test_calls_sent_at_once_are_answered_in_their_order(rig: Rig, upstream: McpUpstream) -> None:
    held = asyncio.Event()
    upstream.tool("slow", Answer(text='{"marker": "slow"}', hold=held))
    await serve_echo(rig, upstream, "slow")
    async with connected(rig.port) as connection:
        await connection.send(
            call_bytes(rig, "", tool="slow") + call_bytes(rig, "second") + call_bytes(rig, "third") + FAREWELL
        )
        await upstream.wait_for("tools/call")
        await asyncio.sleep(0.05)
        held.set()
        answers = await connection.answers()

    for answer, marker in zip(answers, ("slow", "second", "third"), strict=False):
        assert says(answer, marker)
    assert [one.body for one in answers[3:]] == [HEALTHY]


@pytest.mark.parametrize("other", [HEALTH, METADATA], ids=["health", "metadata"])
async def test_a_get_behind_a_call_is_answered_after_it(rig: Rig, upstream: McpUpstream, other: bytes) -> None:
    await serve_echo(rig, upstream)

    answers = await conversation(rig.port, call_bytes(rig, "first") + other + call_bytes(rig, "third") + FAREWELL)

    assert says(answers[0], "first")
    assert answers[1].status == 200
    assert "result" not in answers[1].json
    if answers[1].says_close:
        assert len(answers) == 2
    else:
        assert says(answers[2], "third")
        assert [one.body for one in answers[3:]] == [HEALTHY]


async def test_a_get_before_a_call_leaves_the_call_as_it_is(rig: Rig, upstream: McpUpstream) -> None:
    await serve_echo(rig, upstream)

    together = await conversation(rig.port, HEALTH + call_bytes(rig, "a") + FAREWELL)
    apart = await conversation(rig.port, HEALTH, 0.05, call_bytes(rig, "a"), 0.05, FAREWELL)

    for health, called, farewell in (together, apart):
        assert health.body == farewell.body == HEALTHY
        assert says(called, "a")


async def test_a_request_may_come_byte_by_byte(rig: Rig, upstream: McpUpstream) -> None:
    await serve_echo(rig, upstream)
    request = call_bytes(rig, "crumbs") + FAREWELL

    called, health = await conversation(rig.port, *(request[at : at + 1] for at in range(len(request))))

    assert says(called, "crumbs")
    assert health.body == HEALTHY


async def test_a_request_may_be_cut_at_any_byte(rig: Rig, upstream: McpUpstream) -> None:
    await rig.serve([])
    ping = call_bytes(rig, "", tool="missing", arguments={"text": "x"})
    async with connected(rig.port) as connection:
        for at in range(1, len(ping)):
            await connection.send(ping[:at])
            await connection.send(ping[at:])
            answer = await connection.answer()
            assert (at, answer.status, answer.json["error"]["code"]) == (at, 200, -32602)


async def test_a_chunked_body_may_come_byte_by_byte(rig: Rig, upstream: McpUpstream) -> None:
    await serve_echo(rig, upstream)
    request = _chunked_call(rig, "crumbs", 7) + FAREWELL

    answers = await conversation(rig.port, *(request[at : at + 1] for at in range(len(request))))

    assert says(answers[0], "crumbs")
    assert [one.body for one in answers[1:]] in ([HEALTHY], [])


@pytest.mark.parametrize("size", [1, 16, 4096])
@pytest.mark.parametrize("extension", [b"", b";a=b", b';a="b;c"'])
async def test_a_chunked_body_is_a_body(rig: Rig, upstream: McpUpstream, size: int, extension: bytes) -> None:
    await serve_echo(rig, upstream)

    answers = await conversation(rig.port, _chunked_call(rig, "pieces", size, extension) + FAREWELL)

    assert says(answers[0], "pieces")
    assert [one.body for one in answers[1:]] in ([HEALTHY], [])


async def test_a_caller_who_reads_slowly_gets_everything_in_order(rig: Rig, upstream: McpUpstream) -> None:
    text = "x" * (3 << 20)
    upstream.tool("much", Answer(text=text))
    await serve_echo(rig, upstream, "much")
    async with connected(rig.port, receive_buffer=4096) as connection:
        await connection.send(call_bytes(rig, "", tool="much") + HEALTH + FAREWELL)
        await upstream.wait_for("tools/call")
        await asyncio.sleep(0.3)
        answers = await connection.answers(20)

    assert answers[0].json["result"]["content"][0]["text"] == text
    assert [one.body for one in answers[1:]] == [HEALTHY, HEALTHY]


async def test_a_caller_who_hangs_up_half_way_gets_a_whole_answer_or_none(rig: Rig, upstream: McpUpstream) -> None:
    await serve_echo(rig, upstream)
    for request in (
        call_bytes(rig, "a"),
        call_bytes(rig, "a")[:-5],
        call_bytes(rig, "a")[:40],
        HEALTH,
        METADATA,
        b"",
    ):
        async with connected(rig.port) as connection:
            await connection.send(request)
            connection.socket.shutdown(socket.SHUT_WR)
            assert len(await connection.answers()) <= 1
    assert await is_healthy(rig)

    async def nothing_runs() -> bool:
        return rig.worker.deps.usage.calls_in_flight == 0 and rig.worker.deps.usage.bytes_in_flight == 0

    await eventually(nothing_runs)


async def test_http_1_0_is_answered_and_closed(rig: Rig, upstream: McpUpstream) -> None:
    await serve_echo(rig, upstream)

    (answer,) = await conversation(rig.port, call_bytes(rig, "old", version="HTTP/1.0"))

    assert says(answer, "old")


async def test_http_1_0_may_ask_to_go_on(rig: Rig, upstream: McpUpstream) -> None:
    await serve_echo(rig, upstream)
    request = call_bytes(rig, "old", version="HTTP/1.0", extra=[("Connection", "keep-alive")])

    answers = await conversation(rig.port, request + FAREWELL)

    assert says(answers[0], "old")
    assert [one.body for one in answers[1:]] == ([] if answers[0].says_close else [HEALTHY])


async def test_a_stream_to_http_1_0_ends_with_its_connection_though_that_was_to_go_on(
    rig: Rig, upstream: McpUpstream
) -> None:
    """Nothing else tells its end: an answer behind it would be read as events."""
    upstream.tool("told", Answer(text="old", progress=2))
    await rig.serve([rig.control.tool("told", "told", rig.control.installation(upstream.url))])
    message, named = modern_request("tools/call", {"name": "told", "arguments": {}}, meta={"progressToken": 1})
    body = json.dumps(message).encode()
    headers = {
        "Host": "127.0.0.1",
        "Authorization": f"Bearer {rig.token}",
        "Content-Type": "application/json",
        "Content-Length": str(len(body)),
        "Connection": "keep-alive",
        **named,
    }
    call = request_bytes("POST", GATEWAY, list(headers.items()), version="HTTP/1.0") + body

    (answer,) = await conversation(rig.port, call + FAREWELL)

    assert answer.body.count(b"data: ") == 3
    assert answer.body.endswith(b"\n\n")


@pytest.mark.parametrize("word", ["close", "Close", "x-a, close", "keep-alive, close"])
async def test_a_caller_who_says_close_is_answered_and_closed(rig: Rig, upstream: McpUpstream, word: str) -> None:
    await serve_echo(rig, upstream)
    last = call_bytes(rig, "last", extra=[("Connection", word)])

    (answer,) = await conversation(rig.port, last)

    assert says(answer, "last")
    assert answer.says_close


@pytest.mark.parametrize("version", ["HTTP/1.0", "HTTP/1.1"])
async def test_nothing_behind_the_last_request_of_a_connection_is_answered(
    rig: Rig, upstream: McpUpstream, version: str
) -> None:
    """Whoever sends more than they announced meant something else; to refuse them whole is as good."""
    await serve_echo(rig, upstream)
    last = call_bytes(rig, "last", version=version, extra=[("Connection", "close")])

    (answer,) = await conversation(rig.port, last + call_bytes(rig, "more") + FAREWELL)

    assert answer.says_close
    assert is_refused(answer, 400) if answer.status != 200 else says(answer, "last")
    assert "more" not in str([one.params for one in upstream.seen_of("tools/call")])


async def test_who_waits_to_be_told_to_continue_is_served(rig: Rig, upstream: McpUpstream) -> None:
    await serve_echo(rig, upstream)
    request = call_bytes(rig, "waited", extra=[("Expect", "100-continue")])
    body = body_of("waited")

    answers = await conversation(rig.port, request.removesuffix(body), 0.2, body + FAREWELL)

    finals = [one for one in answers if one.status != 100]
    assert says(finals[0], "waited")
    assert [one.body for one in finals[1:]] in ([HEALTHY], [])


@pytest.mark.parametrize("name", ["Authorization", "Host", "Mcp-Method", "Mcp-Name", "Content-Type"])
async def test_a_trailer_never_takes_the_place_of_a_header(rig: Rig, upstream: McpUpstream, name: str) -> None:
    """What comes behind the body was judged by nobody; a trailer once signed a stranger in."""
    await serve_echo(rig, upstream)
    values = {"Authorization": f"Bearer {rig.token}", "Host": "127.0.0.1", "Content-Type": "application/json"}
    trailer = [(name, values.get(name, "echo" if name == "Mcp-Name" else "tools/call"))]

    answers = await conversation(rig.port, _chunked_call(rig, "late", 64, trailer=trailer, without=[name]) + FAREWELL)

    assert 400 <= answers[0].status < 500
    if name == "Authorization":
        assert is_refused(answers[0], 401)
    assert upstream.seen_of("tools/call") == []


@pytest.mark.parametrize(
    "trailer",
    [
        ("Authorization", "Bearer arch_of_somebody_else"),
        ("Host", "evil.example"),
        ("Mcp-Method", "tools/list"),
        ("Mcp-Session-Id", "theirs"),
        ("X-Tenant", "red"),
        ("Content-Length", "5"),
        ("Transfer-Encoding", "chunked"),
    ],
    ids=lambda trailer: trailer[0],
)
async def test_a_trailer_that_repeats_a_header_changes_nothing(
    rig: Rig, upstream: McpUpstream, trailer: tuple[str, str]
) -> None:
    tool = rig.control.tool("echo", "echo", rig.control.installation(upstream.url))
    await rig.serve([tool], header_allowlist=["x-tenant"])

    answers = await conversation(rig.port, _chunked_call(rig, "late", 64, trailer=[trailer]) + FAREWELL)

    if answers[0].status != 400:  # to refuse a trailer is as good as to drop it
        assert says(answers[0], "late")
        assert "x-tenant" not in upstream.seen_of("tools/call")[0].headers
    assert [one.body for one in answers[1:]] in ([HEALTHY], [])


@pytest.mark.parametrize("cut", [1 << 10, 1 << 16, 1 << 21])
async def test_a_url_of_a_mebibyte_is_refused(rig: Rig, cut: int) -> None:
    await rig.serve([])
    request = request_bytes("GET", "/" + "a" * (1 << 20), [("Host", "127.0.0.1")]) + FAREWELL
    pieces = [request[at : at + cut] for at in range(0, len(request), cut)]

    (answer,) = await conversation(rig.port, *pieces)

    assert is_refused(answer, 400)
    assert answer.says_close
    assert await is_healthy(rig)


@pytest.mark.parametrize("cut", [1 << 10, 1 << 16, 1 << 21])
async def test_twenty_thousand_headers_are_refused(rig: Rig, cut: int) -> None:
    await rig.serve([])
    request = call_bytes(rig, "", extra=[(f"X-{number}", "1") for number in range(20_000)]) + FAREWELL
    pieces = [request[at : at + cut] for at in range(0, len(request), cut)]

    (answer,) = await conversation(rig.port, *pieces)

    assert is_refused(answer, 400)
    assert answer.says_close
    assert await is_healthy(rig)


async def test_a_session_opens_holds_a_stream_and_ends_on_raw_connections(rig: Rig) -> None:
    await rig.serve([])
    session = await rig.open_session()
    headers = [("Host", "127.0.0.1"), ("Authorization", f"Bearer {rig.token}"), ("Mcp-Session-Id", session)]
    async with connected(rig.port) as connection:
        await connection.send(request_bytes("GET", GATEWAY, [*headers, ("Accept", "text/event-stream")]))
        await eventually(lambda: _is_open(connection))

        deleted, health = await conversation(rig.port, request_bytes("DELETE", GATEWAY, headers) + FAREWELL)

        assert (deleted.status, deleted.body, health.body) == (204, b"", HEALTHY)
        stream = await connection.answer()
        assert (stream.status, stream.header("content-type")) == (200, "text/event-stream")
        assert stream.body.startswith(b":")
        if not stream.says_close:
            await connection.send(FAREWELL)
            assert [one.body for one in await connection.answers()] == [HEALTHY]


async def test_one_get_in_a_hundred_leaves_the_calls_where_they_are(rig: Rig, upstream: McpUpstream) -> None:
    """Behind a pooling ingress each connection would sooner or later carry one, and stay in the slow lane."""
    await serve_echo(rig, upstream)
    calls = handed_over = 0
    async with contextlib.AsyncExitStack() as ending:
        idle = [await ending.enter_async_context(connected(rig.port)) for _ in range(4)]
        for number in range(400):
            connection, is_get = idle[number % 4], number % 100 == 50
            await connection.send(METADATA if is_get else call_bytes(rig, str(number)))
            answer = await connection.answer()
            if is_get:
                assert answer.json["resource"].endswith(GATEWAY)
                handed_over += answer.says_close
            else:
                assert says(answer, str(number))
                calls += not answer.says_close
            if answer.says_close:
                idle[number % 4] = await ending.enter_async_context(connected(rig.port))
    assert calls == 396
    assert handed_over == (0 if rig.lane == "aiohttp" else 4)


async def _is_open(connection: RawConnection) -> bool:
    """Whether the head of a stream and its first comment have come."""
    connection.kept += await asyncio.wait_for(connection._receive(), 30)
    return b"\r\n\r\n" in connection.kept and b":" in connection.kept.partition(b"\r\n\r\n")[2]


def _chunked_call(
    rig: Rig, marker: str, size: int, extension: bytes = b"", *, trailer: Pairs = (), without: Pairs | list[str] = ()
) -> bytes:
    """The call that says `marker`, its body in chunks of `size`."""
    body = body_of(marker)
    parts = [body[at : at + size] for at in range(0, len(body), size)]
    chunks = b"".join(b"%x%b\r\n%b\r\n" % (len(part), extension, part) for part in parts)
    fields = b"".join(f"{name}: {value}\r\n".encode() for name, value in trailer)
    names = ", ".join(name for name, _ in trailer)
    framing = [("Transfer-Encoding", "chunked"), *([("Trailer", names)] if names else [])]
    return call_bytes(
        rig, "", without=[str(name) for name in without], framing=framing, chunks=chunks + b"0\r\n" + fields + b"\r\n"
    )
