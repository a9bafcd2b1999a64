import asyncio
import json
from contextlib import asynccontextmanager, suppress

import pytest

from control.processes.health import Health, ask_bridge, ask_http, listens
from control.processes.server import free_port


@asynccontextmanager
async def answering(status, body=b""):
    """A server that answers everything so; gives its port and the first lines that it was asked with."""
    asked = []

    async def answer(reader, writer):
        with suppress(asyncio.IncompleteReadError):  # some only look whether it listens
            asked.append((await reader.readuntil(b"\r\n\r\n")).splitlines()[0])
            writer.write(b"HTTP/1.0 %d x\r\nContent-Type: application/json\r\n\r\n" % status + body)
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        yield server.sockets[0].getsockname()[1], asked


async def test_a_bridge_whose_server_has_answered_is_ready():
    said = {"phase": "ready", "calls": 2, "packages": [["files", "1.0.0"]]}
    async with answering(200, json.dumps(said).encode()) as (port, asked):
        assert await ask_bridge(port) == Health("ready", calls=2, packages=[["files", "1.0.0"]])
    assert asked == [b"GET /healthz HTTP/1.0"]


async def test_a_bridge_says_why_it_is_not():
    said = {"phase": "failed", "cause": "no_such_program", "message": "npx: not found"}
    async with answering(503, json.dumps(said).encode()) as (port, _):
        assert await ask_bridge(port) == Health("failed", "no_such_program", "npx: not found")


@pytest.mark.parametrize("body", [b"", b"nonsense", b"[]", b'{"phase": "great"}', b'{"phase": []}', b"[" * 50_000])
async def test_what_a_bridge_would_not_say_is_no_answer(body):
    async with answering(503, body) as (port, _):
        assert await ask_bridge(port) is None


async def test_nobody_there_is_no_answer():
    port = free_port()
    assert (await ask_bridge(port), await ask_http(port, ""), await ask_http(port, "/health")) == (None, None, None)
    assert not await listens(port)


async def test_a_server_over_http_is_ready_when_its_health_path_says_so_or_without_one_when_it_listens():
    async with answering(204) as (port, asked):
        assert await ask_http(port, "/well") == Health("ready")
        assert await ask_http(port, "") == Health("ready")
    assert asked == [b"GET /well HTTP/1.0"]
    async with answering(500) as (port, _):
        assert await ask_http(port, "/well") == Health("starting", "not_answering", "/well answers 500")


async def test_an_answer_without_end_is_cut():
    async with answering(503, b"x" * (1 << 20)) as (port, _):
        assert await ask_bridge(port) is None
