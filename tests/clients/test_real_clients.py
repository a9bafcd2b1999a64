"""Real clients against real servers."""

from __future__ import annotations

import pytest

from tests.clients.real_clients import CLIENTS, DriverError, RealClient
from tests.fakes.mcp_upstream import McpUpstream

EVERY_CLIENT = pytest.mark.parametrize("client", [pytest.param(one, id=one.name) for one in CLIENTS])
TOKEN = "not-looked-at-by-these-servers"  # they take anybody


@EVERY_CLIENT
async def test_drivers_work_without_us_on_the_npm_server(client: RealClient, everything_server: str):
    outcome = await client.run(everything_server, TOKEN, "echo", {"message": "through no gateway"})
    assert "echo" in outcome.tools
    assert "through no gateway" in outcome.text
    assert outcome.protocol in {"2025-11-25", "legacy", "auto"}


@EVERY_CLIENT
async def test_drivers_work_without_us_on_the_pypi_server(client: RealClient, time_server: str):
    outcome = await client.run(time_server, TOKEN, "get_current_time", {"timezone": "UTC"})
    assert {"get_current_time", "convert_time"} <= set(outcome.tools)
    assert '"timezone"' in outcome.text
    if client.name.startswith("Inspector"):
        return  # it does not say
    assert outcome.protocol == ("2026-07-28" if client.speaks_modern else "2025-11-25")


@EVERY_CLIENT
async def test_drivers_send_the_token_with_every_request(client: RealClient):
    async with McpUpstream(era="both") as up:
        up.requires = {"Authorization": "Bearer one-of-ours"}
        outcome = await client.run(up.url, "one-of-ours", "echo", {"a": [1, None]})
    assert outcome.text == '{"a":[1,null]}'
    assert up.seen
    assert {one.headers.get("Authorization") for one in up.seen} == {"Bearer one-of-ours"}


async def test_a_client_that_is_refused_says_so():
    async with McpUpstream(era="both") as up:
        up.requires = {"Authorization": "Bearer one-of-ours"}
        with pytest.raises(DriverError, match="401"):
            await CLIENTS[3].run(up.url, "another", "echo", {})
