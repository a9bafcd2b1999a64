"""What an answer without success says, in whatever form: read from real connections, bounded in size and in time."""

import asyncio
import json
import time

import pytest

from core.mcp.event_stream import Event, EventReader
from proxy.upstream.answers import Json
from proxy.upstream.faults import MAX_TEXT
from proxy.upstream.unsuccessful import MOST_READ, READ_SECONDS, Unsuccessful, error_words, read_unsuccessful
from tests.fakes.call_parts import installation
from tests.fakes.pool_calls import Pool, post
from tests.fakes.scripted_upstream import HANG, Script, ScriptedUpstream, head, ok
from tests.plugins.moved_clock import MovedClock

JSON_TYPE, SSE_TYPE = b"Content-Type: application/json; charset=utf-8", b"Content-Type: text/event-stream"
TEXT, PAGE = b"Content-Type: text/plain", b"Content-Type: text/html"
RPC = {"jsonrpc": "2.0", "id": 1, "error": {"code": -32000, "message": "No region", "data": {"needs": "X-Region"}}}
SAID = 'No region ({"needs":"X-Region"})'


async def read(script: Script) -> Unsuccessful:
    async with ScriptedUpstream(script) as server, Pool() as pool, post(pool, server.url) as response:
        return await read_unsuccessful(response)


def failing(body: bytes, *headers: bytes, status: bytes = b"400 Bad Request") -> Script:
    return [ok(body, *headers, status=status)]


@pytest.mark.parametrize(
    ("body", "media_type", "found"),
    [
        ({"jsonrpc": "2.0", "id": 1, "error": {"code": 5}}, JSON_TYPE, {"code": 5}),
        ({"jsonrpc": "2.0", "id": 1, "error": {"code": 5}}, b"Content-Type: text/plain", None),
        ({"jsonrpc": "2.0", "id": 1, "error": "no"}, JSON_TYPE, None),
        ({"detail": "no"}, JSON_TYPE, None),
    ],
)
async def test_the_error_within_a_failure_is_found_if_it_is_json_rpc(
    body: Json, media_type: bytes, found: Json
) -> None:
    assert (await read(failing(json.dumps(body).encode(), media_type))).error == found


@pytest.mark.parametrize(
    ("body", "media_type", "said"),
    [
        (json.dumps(RPC).encode(), JSON_TYPE, SAID),
        (b"event: message\ndata: " + json.dumps(RPC).encode() + b"\n\n", SSE_TYPE, SAID),
        (b": hello\n\ndata: " + json.dumps(RPC).encode(), SSE_TYPE, SAID),
        (b"data: no such tenant\n\n", SSE_TYPE, "no such tenant"),
        (json.dumps(RPC).encode(), TEXT, SAID),
        (b"Invalid Host header\n", TEXT, "Invalid Host header"),
        (b"two\r\n lines", b"X-A: b", "two lines"),
        (b'{"detail":"Not Found"}', JSON_TYPE, "Not Found"),
        (b'{"error":"invalid_token","error_description":"It has expired"}', JSON_TYPE, "It has expired"),
        (b'{"error":{"message":"no","code":1}}', JSON_TYPE, "no"),
        (b'{"title":"Gone","status":410}', b"Content-Type: application/problem+json", "Gone"),
        (b'{"odd":[1]}', JSON_TYPE, '{"odd":[1]}'),
        (b'"just text"', JSON_TYPE, "just text"),
        (b"{broken", JSON_TYPE, "{broken"),
        (
            b"<html><head><title>502 Bad Gateway</title><style>p {}</style></head><body><script>x()</script>"
            b"<h1>Bad &amp; ugly</h1>\n<p>nginx</body></html>",
            PAGE,
            "502 Bad Gateway Bad & ugly nginx",
        ),
        (b"\x1b[31mred\x1b[0m\x00", TEXT, ""),
        (b"\x1b[31mred\x1b[0m\x07", TEXT, "red"),
        (b"\x89PNG\x00\x01", b"Content-Type: image/png", ""),
        (b"", JSON_TYPE, ""),
    ],
)
async def test_the_words_of_a_failure_are_kept_in_whatever_form_they_come(
    body: bytes, media_type: bytes, said: str
) -> None:
    assert (await read(failing(body, media_type))).words == said


@pytest.mark.parametrize(
    ("error", "said"),
    [
        ({"code": 1, "message": "no"}, "no"),
        ({"code": 1, "message": "no", "data": "why not"}, "no (why not)"),
        ({"code": 1, "message": "no: why not", "data": "why not"}, "no: why not"),
        ({"code": 1, "message": "no", "data": {}}, "no"),
        ({"code": 1, "message": "no", "data": [1, 2]}, "no ([1,2])"),
        ({"code": 1, "data": "only data"}, "only data"),
        ({"code": -32601}, "error -32601"),
        ({"code": 1, "message": 7}, "error 1"),
    ],
)
def test_an_error_is_told_with_its_data(error: Json, said: str) -> None:
    assert error_words(error) == said


async def test_long_words_are_cut() -> None:
    assert (await read(failing(b"x" * 100_000, TEXT))).words == "x" * MAX_TEXT


@pytest.mark.parametrize("opened", [b"<", b"<script>", b"<!--", b"<title", b"&", b"<style><", b"</script"])
async def test_a_page_that_is_made_to_be_slow_is_not(opened: bytes) -> None:
    script = failing(b"<p>" + opened * (MOST_READ // len(opened)), PAGE)
    began = time.process_time()
    await read(script)
    assert time.process_time() - began < 5  # what grows with the square of its length takes a minute


async def test_a_failure_that_never_ends_is_told_with_what_came(clock: MovedClock) -> None:
    script: Script = [head(b"Content-Length: 100", TEXT, status=b"400 Bad Request"), b"No region", HANG]
    async with (
        ScriptedUpstream(script) as server,
        Pool() as pool,
        post(pool, server.url, deadline=1000) as response,
        asyncio.TaskGroup() as tasks,
    ):
        reading = tasks.create_task(read_unsuccessful(response))
        await server.hangs()
        await asyncio.sleep(0.05)
        clock.pass_by(READ_SECONDS + 1)
        found = await reading
    assert (found.status, found.words) == (400, "No region")


async def test_a_stream_that_stays_open_behind_its_error_is_left() -> None:
    script: Script = [
        head(b"Transfer-Encoding: chunked", SSE_TYPE, status=b"404 Not Found"),
        b"10\r\ndata: not here\n\n\r\n",
        HANG,
    ]
    assert (await read(script)).words == "not here"


class Dripping:
    """A failure that is an event stream, in as many pieces."""

    status = 500

    def __init__(self, pieces: list[bytes]) -> None:
        self._pieces = iter(pieces)

    def header(self, name: str) -> str | None:
        return "text/event-stream" if name == "content-type" else None

    async def next_chunk(self) -> bytes:
        return next(self._pieces, b"")

    async def read_capped(self, cap_bytes: int) -> bytes:
        return b""

    def never_reuse(self) -> None: ...

    def may_be_left(self, *, all_read: bool) -> None: ...


@pytest.mark.parametrize(
    ("pieces", "said"),
    [
        ([b": x\n"] * 5000 + [b"data: no\n\n"], "no"),
        ([b"data: y\n"] * 5000, ("y " * 5000)[:MAX_TEXT].strip()),
        ([b": x\n"] * (MOST_READ // 4) + [b"data: too late\n\n"], ""),
        ([b"data: "] + [b"z"] * 6000, "z" * MAX_TEXT),
        ([b"event: x\n\n"] * 3000 + [b"data: left open"], "left open"),
    ],
    ids=["comments", "one long event", "more than is read", "a line by letters", "events without data"],
)
async def test_each_byte_of_a_stream_that_drips_is_read_once(
    pieces: list[bytes], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    fed = list[int]()

    class Counting(EventReader):
        def feed(self, piece: bytes) -> list[Event]:
            fed.append(len(piece))
            return super().feed(piece)

    monkeypatch.setattr("proxy.upstream.unsuccessful.EventReader", Counting)
    assert (await read_unsuccessful(Dripping(pieces))).words == said
    assert sum(fed) <= min(MOST_READ, sum(map(len, pieces))) + 2


@pytest.mark.parametrize(
    ("status", "reason"),
    [(b"401 No", "upstream_credential"), (b"403 No", "upstream_credential"), (b"404 No", "upstream_status")],
)
async def test_a_refusal_has_the_words_for_an_admin_and_not_for_callers(status: bytes, reason: str) -> None:
    refusal = (await read(failing(b"bad key k3y", TEXT, status=status))).refusal(installation(), "initialize")
    assert (refusal.reason, refusal.said, refusal.text) == (reason, "bad key k3y", "")
    assert "k3y" not in refusal.sentence + refusal.detail


@pytest.mark.parametrize(
    ("status", "location"), [(b"307 Go", "/mcp/"), (b"301 Go", "/mcp/"), (b"201 Made", ""), (b"404 No", "")]
)
async def test_only_a_redirect_points_somewhere(status: bytes, location: str) -> None:
    assert (await read(failing(b"", b"Location: /mcp/", status=status))).location == location


@pytest.mark.parametrize(
    ("challenge", "offered"),
    [
        (b'Bearer resource_metadata="https://x.example/.well-known/oauth-protected-resource"', True),
        (b"Bearer realm=x", False),
    ],
)
async def test_an_offer_of_oauth_is_seen(challenge: bytes, offered: bool) -> None:
    found = await read(failing(b"", b"WWW-Authenticate: " + challenge, status=b"401 No"))
    assert found.offers_oauth is offered


@pytest.mark.parametrize(("kind", "reason"), [("process", "server_restarting"), ("remote", "upstream_status")])
async def test_a_bridge_without_its_server_is_told_as_such(kind: str, reason: str) -> None:
    found = await read(failing(b"The server is starting", TEXT, status=b"503 No"))
    refusal = found.refusal(installation(kind=kind), "tools/call")
    assert (refusal.reason, refusal.said) == (reason, "The server is starting")
