"""The small client against a server that answers what it is told to."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from archway.calling.client import Gateway, NotReached, Refused

TOOL = {"name": "a__b", "inputSchema": {"type": "object", "properties": {}}}
MIRRORED = {
    "name": "a__b",
    "inputSchema": {
        "type": "object",
        "properties": {"region": {"type": "string", "x-mcp-header": "Region"}, "n": {"type": "integer"}},
    },
}
OK = {"jsonrpc": "2.0", "id": 1, "result": {"content": [{"type": "text", "text": "done"}]}}


class Answering(BaseHTTPRequestHandler):
    """Answers each POST with the next of the server's answers: (status, media type, body)."""

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.seen.append((dict(self.headers), body))  # type: ignore[attr-defined] # set below
        status, media, content = self.server.answers.pop(0)  # type: ignore[attr-defined] # set below
        self.send_response(status)
        self.send_header("Content-Type", media)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        pass


class Server:
    def __init__(self) -> None:
        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Answering)
        self.http.answers, self.http.seen = [], []  # type: ignore[attr-defined] # what a test gives and reads

    @property
    def seen(self) -> list[tuple[dict[str, str], dict[str, Any]]]:
        seen: list[tuple[dict[str, str], dict[str, Any]]] = self.http.seen  # type: ignore[attr-defined] # as above
        return seen

    def answers(self, *answers: object) -> Gateway:
        self.http.answers += [  # type: ignore[attr-defined] # as above
            one if isinstance(one, tuple) else (200, "application/json", json.dumps(one).encode()) for one in answers
        ]
        return Gateway(f"http://127.0.0.1:{self.http.server_port}/v1/mcp/g", "arch_x", 20)


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server()
    thread = threading.Thread(target=server.http.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.http.shutdown()
    server.http.server_close()
    thread.join()


def events(*messages: object, head: str = "") -> tuple[int, str, bytes]:
    lines = "".join(f"data: {json.dumps(one)}\n\n" for one in messages)
    return 200, "text/event-stream", (head + lines).encode()


def test_a_call_says_in_its_headers_what_its_body_says(server: Server) -> None:
    assert server.answers(OK).call(MIRRORED, {"region": "west", "n": 3})["content"][0]["text"] == "done"
    ((headers, body),) = server.seen
    assert (headers["Mcp-Method"], headers["Mcp-Name"], headers["Authorization"]) == (
        "tools/call", "a__b", "Bearer arch_x",
    )  # fmt: skip
    assert headers["Mcp-Param-Region"] == "west"
    assert body["params"]["arguments"] == {"region": "west", "n": 3}


def test_tools_are_listed_over_all_pages(server: Server) -> None:
    pages = [{"tools": [{"name": "a"}], "nextCursor": "more"}, {"tools": [{"name": "b"}]}]
    gateway = server.answers(*({"jsonrpc": "2.0", "id": 1, "result": page} for page in pages))
    assert [one["name"] for one in gateway.tools()] == ["a", "b"]
    assert [body["params"].get("cursor") for _, body in server.seen] == [None, "more"]


@pytest.mark.parametrize(
    "answer",
    [
        events(OK),
        events({"jsonrpc": "2.0", "method": "notifications/progress", "params": {}}, OK),
        events(OK, head=": keep-alive\n\nevent: ping\ndata: x\n\n"),
    ],
)
def test_an_answer_may_come_as_the_last_event_of_a_stream(server: Server, answer: object) -> None:
    assert server.answers(answer).call(TOOL, {})["content"][0]["text"] == "done"


@pytest.mark.parametrize("status", [200, 401, 403, 404, 503])
def test_a_refusal_is_told_in_the_gateways_words_with_the_requests_id(server: Server, status: int) -> None:
    error = {"code": -31401, "message": "Because.", "data": {"request_id": "r-1"}}
    body = json.dumps({"jsonrpc": "2.0", "id": None, "error": error}).encode()
    with pytest.raises(Refused) as caught:
        server.answers((status, "application/json", body)).call(TOOL, {})
    assert (str(caught.value), caught.value.status) == ("Because.\nrequest id r-1", status)


@pytest.mark.parametrize(
    "answer",
    [
        (200, "text/html", b"<html>"),
        (404, "text/html", b"<html>"),
        (302, "text/html", b""),
        (200, "application/json", b"[]"),
        (200, "application/json", b'{"result": 3}'),
        (500, "application/json", b'{"error": "no"}'),
        (200, "text/event-stream", b": nothing\n\n"),
        (200, "text/event-stream", b"data: <html>\n\n"),
    ],
)
def test_what_is_no_gateway_is_told_as_such(server: Server, answer: object) -> None:
    with pytest.raises(NotReached):
        server.answers(answer).call(TOOL, {})


DEEP = b"[" * 90_000 + b"]" * 90_000


@pytest.mark.parametrize(
    ("status", "media", "body", "told"),
    [
        (200, "application/json", b'{"jsonrpc":"2.0","id":1,"result":%b}' % DEEP, "nested too deep"),
        (200, "application/json", b'{"a":' * 90_000 + b"1" + b"}" * 90_000, "nested too deep"),
        (200, "text/event-stream", b'data: {"result":{"content":%b}}\n\n' % DEEP, "nested too deep"),
        (200, "application/json", DEEP[:90_000], "nested too deep"),
        (403, "application/json", b'{"error":%b}' % DEEP, "answers 403"),
        (502, "application/json", DEEP, "answers 502"),
    ],
)
def test_an_answer_that_is_too_deep_is_told_in_a_sentence(
    server: Server, status: int, media: str, body: bytes, told: str
) -> None:
    with pytest.raises(NotReached, match=told):
        server.answers((status, media, body)).call(TOOL, {})


def test_nobody_there_is_told_with_the_url() -> None:
    with pytest.raises(NotReached, match=r"127\.0\.0\.1:1/ does not answer"):
        Gateway("http://127.0.0.1:1/", "t").tools()


def test_no_token_is_in_a_repr() -> None:
    assert "secret" not in repr(Gateway("http://h/", "secret"))
