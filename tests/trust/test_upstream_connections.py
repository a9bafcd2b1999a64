"""Connections to upstreams that carry more than an answer (row P-8), and names that fail, lag or lie (row F-14)."""

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from core.mcp.versions import MODERN
from tests.fakes.scripted_upstream import CLOSE, RESET, Script, ScriptedUpstream, head, ok
from tests.proxy.conftest import MakeRig

JSON_TYPE = b"Content-Type: application/json"
CHUNKED = head(JSON_TYPE, b"Transfer-Encoding: chunked")
AWHILE_S = 0.05
INSIDE, OUTSIDE = "127.0.0.1", "127.0.0.2"


def answer_to(request: bytes, text: str) -> bytes:
    request_id = json.loads(request.partition(b"\r\n\r\n")[2])["id"]
    result = {"content": [{"type": "text", "text": text}], "resultType": "complete"}
    return json.dumps({"jsonrpc": "2.0", "id": request_id, "result": result}).encode()


def poison(request: bytes) -> bytes:
    """An answer that would be taken for the next caller's: our identifiers are counted up."""
    request_id = json.loads(request.partition(b"\r\n\r\n")[2])["id"]
    body = answer_to(request, "POISON").replace(b'"id": %d' % request_id, b'"id": %d' % (request_id + 1))
    return ok(body, JSON_TYPE)


def mine(request: bytes) -> bytes:
    return ok(answer_to(request, "mine"), JSON_TYPE)


def in_chunks(body: bytes) -> bytes:
    return CHUNKED + b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)


INPUTS: dict[str, Callable[[bytes], Script]] = {
    "an answer behind the answer": lambda one: [mine(one) + poison(one)],
    "an answer behind the last chunk": lambda one: [in_chunks(answer_to(one, "mine")) + poison(one)],
    "half an answer behind the answer": lambda one: [mine(one) + poison(one)[:40], AWHILE_S, poison(one)[40:]],
    "an answer while idle": lambda one: [mine(one), AWHILE_S, poison(one)],
    "a time-out while idle": lambda one: [mine(one), AWHILE_S, ok(b"", status=b"408 Request Timeout")],
    "garbage while idle": lambda one: [mine(one), AWHILE_S, b"\x00\xffgarbage"],
    "a line end behind the answer": lambda one: [mine(one) + b"\r\n"],
    "hints behind the answer": lambda one: [mine(one) + head(status=b"103 Early Hints")],
    "a body that ends with the connection": lambda one: [head(JSON_TYPE), answer_to(one, "mine"), CLOSE],
    "the end while idle": lambda one: [mine(one), CLOSE],
    "a reset while idle": lambda one: [mine(one), RESET],
}


@pytest.mark.parametrize("script", [pytest.param(script, id=f"P-8: {name}") for name, script in INPUTS.items()])
async def test_what_stands_behind_an_answer_is_nobodys_and_the_next_call_is_clean(
    make_rig: MakeRig, script: Callable[[bytes], Script]
) -> None:
    """RFC 9112 section 11.2: bytes that nobody asked for must not become the next caller's answer."""
    async with (
        ScriptedUpstream(script, lambda request: [ok(answer_to(request, "yours"), JSON_TYPE)]) as upstream,
        make_rig() as rig,
    ):
        await rig.serve([rig.control.tool("t", "t", rig.control.installation(upstream.url, protocol=MODERN))])
        assert (await rig.call("t")).result["content"][0]["text"] == "mine"
        await upstream.played(1)
        for caller in range(3):
            reply = await rig.call("t", token=rig.control.token())
            assert reply.result["content"][0]["text"] == "yours", caller
        # aiohttp's client passes over line ends between messages, which are no message.
        assert upstream.connections == 2 or (
            rig.lane == "aiohttp" and script is INPUTS["a line end behind the answer"]
        )


@pytest.mark.parametrize("_row", [pytest.param(0, id="P-8: an answer that only the kernel knows of")])
async def test_what_came_in_this_very_moment_is_seen_too(make_rig: MakeRig, _row: int) -> None:
    def both(request: bytes) -> Script:
        poisons.append(poison(request))
        return [mine(request)]

    poisons: list[bytes] = []
    async with (
        ScriptedUpstream(both, lambda request: [ok(answer_to(request, "yours"), JSON_TYPE)]) as upstream,
        make_rig() as rig,
    ):
        await rig.serve([rig.control.tool("t", "t", rig.control.installation(upstream.url, protocol=MODERN))])
        await rig.call("t")
        sent = rig.worker.deps.upstreams.sent
        sender, name = (sent.transport, "send_on") if rig.way == "planned" else (sent, "begin")
        send = getattr(sender, name)

        def at_the_last_moment(*given: Any) -> Any:
            if poisons:
                upstream.write_to_all(poisons.pop())
            return send(*given)

        setattr(sender, name, at_the_last_moment)
        assert (await rig.call("t")).result["content"][0]["text"] == "yours"
        assert upstream.connections == 2


@pytest.mark.parametrize("_row", [pytest.param(0, id="P-8: hints before the answer")])
async def test_hints_are_not_taken_for_the_answer(make_rig: MakeRig, _row: int) -> None:
    def hinting(request: bytes) -> Script:
        hints = head(b"Link: </a>", status=b"103 Early Hints")
        marker = json.loads(request.partition(b"\r\n\r\n")[2])["params"]["arguments"]["n"]
        return [hints + hints, ok(answer_to(request, f"answer {marker}"), JSON_TYPE)]

    async with ScriptedUpstream(hinting) as upstream, make_rig() as rig:
        await rig.serve([rig.control.tool("t", "t", rig.control.installation(upstream.url, protocol=MODERN))])
        for number in range(4):
            reply = await rig.call("t", {"n": number})
            assert reply.result["content"][0]["text"] == f"answer {number}"
        assert upstream.connections == 1


# F-14: names.


class NameServer:
    """Stands for the operating system's resolver: the n-th question about a `.test` name gets the n-th answer."""

    def __init__(self) -> None:
        self.answers: list[str | None] = []
        self.slow = threading.Event()
        self.slow.set()
        self.questions = 0
        self._real = socket.getaddrinfo

    def getaddrinfo(self, host, port, *more):  # type: ignore[no-untyped-def]
        if not str(host).endswith(".test"):
            return self._real(host, port, *more)
        answer = self.answers[min(self.questions, len(self.answers) - 1)]
        self.questions += 1
        self.slow.wait(20)
        if answer is None:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (answer, port))]


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> Iterator[NameServer]:
    server = NameServer()
    monkeypatch.setattr(socket, "getaddrinfo", server.getaddrinfo)
    yield server
    server.slow.set()


@pytest.mark.parametrize(
    ("slow", "within"),
    [pytest.param(False, 10.0, id="F-14: fails"), pytest.param(True, 12.0, id="F-14: slow")],
)
async def test_a_name_without_an_answer_is_given_up_in_time(
    make_rig: MakeRig, names: NameServer, slow: bool, within: float
) -> None:
    """A lookup gets two seconds; the bound here is wider, for a busy machine, and below what the resolver takes."""
    names.answers = [None]
    async with make_rig() as rig:
        await rig.serve(
            [rig.control.tool("t", "t", rig.control.installation("http://far.test/mcp", protocol=MODERN))]
        )
        await rig.modern("tools/list")
        if slow:
            names.slow.clear()
        before = time.monotonic()
        refused = await rig.call("t")
        assert time.monotonic() - before < within
        names.slow.set()
        assert refused.refusal["code"] == "upstream_refused"
        assert "far.test" not in refused.result["content"][0]["text"]


@pytest.mark.parametrize("_row", [pytest.param(0, id="F-14: changes address between check and use")])
async def test_the_address_that_was_judged_is_the_one_that_is_connected(
    make_rig: MakeRig, names: NameServer, _row: int
) -> None:
    names.answers = [OUTSIDE, INSIDE]
    async with (
        ScriptedUpstream(lambda request: [ok(answer_to(request, "outside"), JSON_TYPE)], host=OUTSIDE) as outside,
        ScriptedUpstream([ok(b"inside")], host=INSIDE, port=outside.port) as inside,
        make_rig(upstream_networks=f"{OUTSIDE}/32") as rig,
    ):
        far = rig.control.installation(f"http://far.test:{outside.port}/mcp", protocol=MODERN)
        await rig.serve([rig.control.tool("t", "t", far)])
        assert (await rig.call("t")).result["content"][0]["text"] == "outside"
        assert (names.questions, inside.connections) == (1, 0)


@pytest.mark.parametrize("_row", [pytest.param(0, id="F-14: the connected address decides")])
async def test_a_name_that_has_moved_inside_is_refused_however_often_it_is_tried(
    make_rig: MakeRig, names: NameServer, _row: int
) -> None:
    names.answers = [INSIDE]
    async with (
        ScriptedUpstream([ok(b"inside")], host=INSIDE) as inside,
        make_rig(upstream_networks=f"{OUTSIDE}/32") as rig,
    ):
        far = rig.control.installation(f"http://far.test:{inside.port}/mcp", protocol=MODERN)
        await rig.serve([rig.control.tool("t", "t", far)])
        for _ in range(3):
            assert (await rig.call("t")).refusal["code"] == "upstream_forbidden"
        assert inside.connections == 0
