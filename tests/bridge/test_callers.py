"""Who is let in, with what, and what of a caller reaches the server."""

import json

import pytest

from tests.fakes.bridged import TOKEN, Bridge, child

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.mark.parametrize(
    "given",
    [
        "",
        "Bearer",
        "Bearer ",
        "Bearer wrong",
        f"Bearer {TOKEN}x",
        f"Bearer {TOKEN[:-1]}",
        TOKEN,
        f"Basic {TOKEN}",
        "é",
    ],
    ids=[
        "none",
        "no token",
        "an empty one",
        "another",
        "longer",
        "shorter",
        "no scheme",
        "another scheme",
        "no ASCII",
    ],
)
@pytest.mark.parametrize("method", ["POST", "GET", "DELETE"])
async def test_nobody_is_let_in_without_the_token(shared, given, method):
    async with shared.request(method, {"jsonrpc": "2.0"}, {"Authorization": given}) as answer:
        assert [answer.status, await answer.read()] == [401, b""]
        assert answer.headers["WWW-Authenticate"] == "Bearer"


async def test_health_needs_no_token(shared):
    status, state = await shared.health()

    assert [status, state["phase"]] == [200, "ready"]


async def test_no_header_of_a_caller_reaches_the_server(shared):
    params = {"name": "echo", "arguments": {"text": "x"}}
    body = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}

    await shared.post(body, {"X-Secret": "canary-of-a-caller", "Cookie": "canary-of-a-caller"})

    received = json.dumps(await shared.received())
    assert "canary-of-a-caller" not in received
    assert TOKEN not in received


async def test_the_server_has_its_own_environment_without_the_bridges_token(tmp_path):
    own = {"ARCHWAY_SECRET_NAMES": "API_KEY", "API_KEY": "the-servers-own"}
    async with Bridge(child("legacy"), tmp_path, environment=own) as bridge:
        await bridge.ready()

        environment = json.loads((await bridge.call("environment")).text)

    assert environment["API_KEY"] == "the-servers-own"
    assert not [name for name in environment if name.startswith("ARCHWAY_")]
    assert TOKEN not in environment.values()


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"", 400, -32700),
        (b"{", 400, -32700),
        (b"[]", 400, -32600),
        (b'[{"jsonrpc": "2.0", "id": 1, "method": "ping"}]', 400, -32600),
        (b'{"jsonrpc": "2.0", "method": "tools/call"}', 400, -32600),
        (b'{"jsonrpc": "2.0", "id": null, "method": "ping"}', 400, -32600),
        (b'{"jsonrpc": "2.0", "id": 1, "method": "ping", "params": []}', 200, -32600),
        (b'{"jsonrpc": "2.0", "id": 1, "method": "ping", "params": ' + b"[" * 100 + b"]" * 100 + b"}", 400, -32600),
    ],
    ids=["empty", "no JSON", "no message", "a batch", "no id", "an id of null", "parameters in a list", "deep"],
)
async def test_what_is_no_request_is_refused(shared, body, status, code):
    said = await shared.post(body)

    assert [said.status, said.last["error"]["code"]] == [status, code]


async def test_a_body_that_is_too_long_is_refused(shared):
    said = await shared.post(b" " * (4 << 20) + b" ")

    assert said.status == 413
    assert (await shared.call("echo", text="x")).text == "x"


@pytest.mark.parametrize(
    ("method", "path"), [("PUT", "/mcp"), ("POST", "/"), ("POST", "/healthz"), ("GET", "/mcp/x")]
)
async def test_there_is_nothing_else(shared, method, path):
    async with shared.request(method, {}, path=path) as answer:
        assert answer.status in {404, 405}


@pytest.mark.parametrize("method", ["GET", "DELETE"])
async def test_a_stream_or_an_end_needs_a_session(shared, method):
    async with shared.request(method) as answer:
        assert answer.status == 405


@pytest.mark.parametrize("method", ["GET", "DELETE", "POST"])
async def test_a_session_that_is_not_known_is_lost(shared, method):
    body = {"jsonrpc": "2.0", "id": 1, "method": "ping"}
    async with shared.request(method, body, {"Mcp-Session-Id": "another"}) as answer:
        said = await answer.json()

    assert [answer.status, said["error"]["message"]] == [404, "Session not found"]
