"""Servers that speak only the transport of 2024-11-05 (HTTP with SSE): found and called as any other."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from archway.up.ports import free_port
from core.probes import ProbeQuestion
from core.resolve import ResolvedInstallation
from tests.clients.real_clients import PYTHON_1
from tests.fixtures_upstreams import NODE, NPM, ROOT, answering, running
from tests.proxy.conftest import Rig, eventually

TOOLS = ("echo", "session", "credential", "slowly", "waits")


@contextmanager
def python_server(port: int, log: Path) -> Iterator[str]:
    command = [PYTHON_1, str(ROOT / "tests" / "fakes" / "old_transport_server.py"), str(port)]
    with running(command, {}, log) as process:
        answering(f"http://127.0.0.1:{port}/messages/", process, log)
        yield f"http://127.0.0.1:{port}/sse"


@pytest.fixture(scope="module")
def old_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with python_server(free_port(), tmp_path_factory.mktemp("old") / "log") as url:
        yield url


@pytest.fixture(scope="module")
def old_everything_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    port, log = free_port(), tmp_path_factory.mktemp("old_everything") / "log"
    command = [str(NODE), str(NPM / ".bin" / "mcp-server-everything"), "sse"]
    with running(command, {"PORT": str(port)}, log) as process:
        answering(f"http://127.0.0.1:{port}/", process, log)
        yield f"http://127.0.0.1:{port}/sse"


async def serve(rig: Rig, url: str, **fields: object) -> ResolvedInstallation:
    installation = rig.control.installation(url, **fields)
    await rig.serve([rig.control.tool(name, name, installation) for name in TOOLS])
    return installation


async def said(rig: Rig, tool: str, **arguments: str) -> str:
    return str((await rig.call(tool, arguments)).result["content"][0]["text"])


async def test_its_tools_are_found_and_called(rig: Rig, old_server: str) -> None:
    found = await rig.worker.internal._prober.probe(ProbeQuestion(rig.control.installation(old_server)))
    assert (found.fault, found.era) == ("", "legacy")
    assert [tool["name"] for tool in found.tools] == list(TOOLS)

    await serve(rig, old_server)
    assert await said(rig, "echo", text="größer\nals") == "größer\nals"
    assert await said(rig, "echo", text="x" * 300_000) == "x" * 300_000


async def test_so_are_those_of_the_sdk_for_typescript(rig: Rig, old_everything_server: str) -> None:
    found = await rig.worker.internal._prober.probe(ProbeQuestion(rig.control.installation(old_everything_server)))
    assert found.fault == ""
    assert "echo" in {tool["name"] for tool in found.tools}
    await serve(rig, old_everything_server)
    reply = await rig.call("echo", {"message": "hello"})
    assert "hello" in reply.result["content"][0]["text"]


@pytest.mark.parametrize("protocol", ["auto", "legacy"])
async def test_calls_of_one_caller_share_a_session_and_no_other_does(
    rig: Rig, old_server: str, protocol: str
) -> None:
    await serve(rig, old_server, protocol=protocol)
    mine = await asyncio.gather(*(said(rig, "session") for _ in range(20)))
    assert len(set(mine)) == 1
    other = await rig.call("session", token=rig.control.token())
    assert other.result["content"][0]["text"] not in mine


async def test_the_credential_goes_to_its_endpoint(rig: Rig, old_server: str) -> None:
    await serve(rig, old_server, credential_headers=[("x-key", "secret")])
    assert await said(rig, "credential") == "secret"


async def test_progress_comes_while_the_call_runs(rig: Rig, old_server: str) -> None:
    await serve(rig, old_server)
    async with rig.events("slowly", meta={"progressToken": "mine"}) as events:
        heard = [message async for message in events]
    assert [one["params"]["progress"] for one in heard[:-1]] == [1, 2]
    assert {one["params"]["progressToken"] for one in heard[:-1]} == {"mine"}
    assert heard[-1]["result"]["content"][0]["text"] == "done"


async def test_a_server_that_was_started_again_is_called_in_a_new_session(rig: Rig, tmp_path: Path) -> None:
    port = free_port()
    with ExitStack() as stack:
        await serve(rig, stack.enter_context(python_server(port, tmp_path / "first")))
        assert await said(rig, "echo", text="one") == "one"
        stack.close()
        await eventually(lambda: _noticed(rig))
        with python_server(port, tmp_path / "second"):
            assert await said(rig, "echo", text="two") == "two"


async def _noticed(rig: Rig) -> bool:
    return all(connection.over for connection, _ in rig.worker.deps.upstreams.old._open.values())


async def test_a_call_whose_stream_breaks_is_refused(rig: Rig, tmp_path: Path) -> None:
    with ExitStack() as stack:
        await serve(rig, stack.enter_context(python_server(free_port(), tmp_path / "log")))
        async with rig.events("waits", meta={"progressToken": "mine"}) as events:
            assert (await anext(events))["method"] == "notifications/progress"
            stack.close()
            (last,) = [message async for message in events]
        assert last["result"]["_meta"]["archway/refusal"]["code"] == "upstream_broken"


async def test_a_session_ends_with_its_installation(rig: Rig, old_server: str) -> None:
    installation = await serve(rig, old_server)
    assert await said(rig, "echo", text="one") == "one"
    (open_now,) = rig.worker.deps.upstreams.old._open.values()
    await rig.control.announce("installation", installation.installation_id, -1)
    await eventually(lambda: _is_over(open_now[0]))


async def _is_over(connection: object) -> bool:
    return bool(getattr(connection, "over", False))
