import pytest

from proxy.upstream.old_transport import speaks_old_transport
from tests.fakes.call_parts import installation
from tests.fakes.pool_calls import Pool
from tests.fakes.scripted_upstream import CLOSE, HANG, Script, ScriptedUpstream, head, ok

SSE = b"Content-Type: text/event-stream; charset=utf-8"
ENDPOINT = b"event: endpoint\ndata: /messages?session_id=s3cr3t\n\n"


def stream(text: bytes, status: bytes = b"200 OK") -> Script:
    return [head(SSE, b"Connection: close", status=status), text, HANG]


async def speaks(script: Script) -> bool:
    async with ScriptedUpstream(script) as server, Pool() as pool:
        found = await speaks_old_transport(pool, installation(server.url + "/sse"))
        assert server.requests[0].startswith(b"GET /sse HTTP/1.1")
        return found


@pytest.mark.parametrize("text", [ENDPOINT, b": hello\n\n" + ENDPOINT, ENDPOINT.replace(b"\n", b"\r\n")])
async def test_a_stream_that_begins_with_its_endpoint_is_of_the_old_transport(text: bytes) -> None:
    assert await speaks(stream(text))


@pytest.mark.parametrize(
    "script",
    [
        stream(b"event: message\ndata: {}\n\n" + ENDPOINT),
        stream(b"data: /messages\n\n"),
        stream(ENDPOINT, status=b"400 Bad Request"),
        [ok(ENDPOINT, b"Content-Type: text/html")],
        [ok(b"", status=b"405 Method Not Allowed")],
        [head(SSE, b"Connection: close"), CLOSE],
        stream(b"event: endpoint\ndata: " + b"x" * 70_000),
        [CLOSE],
    ],
    ids=["another first event", "no name", "400", "a page", "405", "empty", "endless", "no answer"],
)
async def test_whatever_else_get_is_answered_with_is_not(script: Script) -> None:
    assert not await speaks(script)


async def test_a_server_that_cannot_be_reached_speaks_nothing() -> None:
    async with Pool() as pool:
        assert not await speaks_old_transport(pool, installation())
