"""Servers as they come from PyPI and npm, asked through the bridge by the official client in each of its modes."""

import contextlib
import json
import sys
from importlib import metadata

import httpx2
import pytest
import pytest_asyncio
from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from mcp.types import ElicitResult

from tests.fakes.bridged import ROOT, TOKEN, Bridge
from tests.fixtures_upstreams import BIN, NODE, NPM

pytestmark = pytest.mark.asyncio(loop_scope="module")
MODES = ["auto", "legacy", "2026-07-28"]
EVERYTHING = [str(NODE), str(NPM / ".bin" / "mcp-server-everything"), "stdio"]


def bridge_fixture(command):
    @pytest_asyncio.fixture(scope="module", loop_scope="module")
    async def bridge(tmp_path_factory):
        async with Bridge(command, tmp_path_factory.mktemp("bridge")) as bridge:
            yield await bridge.ready()

    return bridge


paint = bridge_fixture([sys.executable, str(ROOT / "tests" / "fakes" / "sdk_stdio_server.py")])
clock = bridge_fixture([str(BIN / "mcp-server-time"), "--local-timezone", "UTC"])
everything = bridge_fixture(EVERYTHING)


@contextlib.asynccontextmanager
async def client_of(bridge, mode, **callbacks):
    headers = {"Authorization": f"Bearer {TOKEN}"}
    url = f"http://127.0.0.1:{bridge.port}/mcp"
    async with (
        httpx2.AsyncClient(headers=headers, timeout=60) as http,
        Client(streamable_http_client(url, http_client=http), mode=mode, **callbacks) as client,
    ):
        yield client


@pytest.mark.parametrize("mode", MODES)
async def test_a_python_server_serves_clients_of_every_mode(paint, mode):
    async with client_of(paint, mode) as client:
        assert {tool.name for tool in (await client.list_tools()).tools} == {"mix", "stir", "choose"}
        answer = await client.call_tool("mix", {"first": "red", "second": "blue"})
        assert answer.content[0].text == "red and blue"
        assert (await client.read_resource("paint://motto")).contents[0].text == "Dry before you touch."
        assert mode == "2026-07-28" or client.server_info.name == "paint"


@pytest.mark.parametrize("mode", MODES)
async def test_a_python_server_tells_clients_of_every_mode_how_far_it_is(paint, mode):
    steps = []

    async def note(progress, total, message):
        steps.append((progress, total))

    async with client_of(paint, mode) as client:
        await client.call_tool("stir", {"steps": 3}, progress_callback=note)

    assert steps == [(1, 3), (2, 3), (3, 3)]


@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_the_clock_from_pypi_serves_clients_of_both_eras(clock, mode):
    async with client_of(clock, mode) as client:
        answer = await client.call_tool("get_current_time", {"timezone": "UTC"})
        assert '"timezone": "UTC"' in answer.content[0].text


@pytest.mark.parametrize("mode", MODES)
async def test_server_everything_serves_clients_of_every_mode(everything, mode):
    async with client_of(everything, mode) as client:
        assert "echo" in {tool.name for tool in (await client.list_tools()).tools}
        answer = await client.call_tool("echo", {"message": "hi"})
        assert answer.content[0].text == "Echo: hi"
        structured = await client.call_tool("get-structured-content", {"location": "New York"})
        assert structured.structured_content["conditions"]


async def test_server_everything_asks_a_client_that_can_be_asked(everything):
    async def reply(context, params):
        return ElicitResult(action="decline")

    async with client_of(everything, "legacy", elicitation_callback=reply) as client:
        answer = await client.call_tool("trigger-elicitation-request", {})

    assert "declined" in answer.content[0].text


def version_of(package):
    return json.loads((NPM / package / "package.json").read_bytes())["version"]


async def test_what_runs_is_told_by_package_and_version(clock, everything):
    npm = "@modelcontextprotocol/server-everything"
    pypi = "mcp-server-time"
    for bridge, found in ((clock, [pypi, metadata.version(pypi)]), (everything, [npm, version_of(npm)])):
        assert (await bridge.health())[1]["packages"] == [found]
        assert json.loads((await bridge.logged("the server answers"))["packages"]) == [found]
