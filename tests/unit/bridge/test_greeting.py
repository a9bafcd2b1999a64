import asyncio
import json

import pytest

from bridge import greeting
from bridge.greeting import EndedAtProbe, NotGreeted, greet
from bridge.printed import Printed
from bridge.refused import Refused
from bridge.run import Run
from core.mcp.versions import Era
from core.redaction import Redaction

DISCOVERED = {"supportedVersions": ["2026-07-28"], "capabilities": {}}
INITIALIZED = {"protocolVersion": "2025-06-18", "capabilities": {}, "serverInfo": {"name": "x"}}
UNKNOWN = {"error": {"code": -32601, "message": "Method not found"}}


class Server:
    """Answers each method as told: with a result, an error, not at all (None), or by ending (`ends`)."""

    def __init__(self, **answers):
        self.sent = []
        self.answers = {name.replace("_", "/"): answer for name, answer in answers.items()}
        self.run = Run(self.send, Printed(Redaction([])), 8, 1000)

    def send(self, raw):
        message = json.loads(raw)
        self.sent.append(message["method"])
        answer = self.answers.get(message["method"])
        if answer == "ends":
            self.run.end()
        elif answer is not None and "id" in message:
            body = answer if "error" in answer else {"result": answer}
            self.run.take(json.dumps({"jsonrpc": "2.0", "id": message["id"], **body}).encode())


@pytest.fixture(autouse=True)
def _no_patience(monkeypatch):
    monkeypatch.setattr(greeting, "SILENT_S", 0.01)


async def greeted(server, **more):
    async with asyncio.timeout(30):
        await greet(server.run, probe=more.get("probe", True))
    return server.run.era, server.sent


async def test_one_that_discovers_is_modern_and_is_not_initialized():
    assert await greeted(Server(server_discover=DISCOVERED)) == (Era.MODERN, ["server/discover"])


@pytest.mark.parametrize(
    "answer",
    [UNKNOWN, None, {"supportedVersions": ["2025-11-25"]}, {"supportedVersions": "2026-07-28"}, {}],
    ids=["an error", "silence", "legacy versions", "no list", "nothing"],
)
async def test_one_that_answers_otherwise_is_initialized(answer):
    server = Server(server_discover=answer, initialize=INITIALIZED)

    era, sent = await greeted(server)

    assert [era, server.run.hello] == [Era.LEGACY, INITIALIZED]
    assert sent == ["server/discover", "initialize", "notifications/initialized"]


async def test_one_that_is_slow_to_begin_is_modern_by_its_late_answer():
    server = Server(initialize=UNKNOWN)
    server.answers["initialize"] = None
    greeting_it = asyncio.get_running_loop().create_task(greet(server.run, probe=True))
    while "initialize" not in server.sent:  # noqa: ASYNC110 - the server is a function
        await asyncio.sleep(0)

    first, second = server.run.calls
    for call, body in ((first, {"result": DISCOVERED}), (second, UNKNOWN)):
        server.run.take(json.dumps({"jsonrpc": "2.0", "id": call.number, **body}).encode())
    await greeting_it

    assert server.run.era is Era.MODERN


async def test_one_that_ends_at_the_probe_is_told_apart():
    with pytest.raises(EndedAtProbe):
        await greeted(Server(server_discover="ends"))

    assert await greeted(Server(initialize=INITIALIZED), probe=False) == (
        Era.LEGACY, ["initialize", "notifications/initialized"],
    )  # fmt: skip


async def test_one_that_ends_at_initialize_has_ended():
    with pytest.raises(Refused):
        await greeted(Server(server_discover=UNKNOWN, initialize="ends"))


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (UNKNOWN, "It refused to begin: Method not found"),
        ({"protocolVersion": "1999-01-01"}, "It speaks no revision of MCP that Archway does: '1999-01-01'"),
    ],
    ids=["an error", "an unknown revision"],
)
async def test_one_that_will_not_begin_says_why(answer, why):
    with pytest.raises(NotGreeted) as refused:
        await greeted(Server(server_discover=UNKNOWN, initialize=answer))

    assert str(refused.value) == why
