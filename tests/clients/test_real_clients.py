"""Real clients against real servers."""

from __future__ import annotations

import asyncio

import pytest

from tests.clients.real_clients import DriverError, listed_and_called, started
from tests.clients.what_clients_do import CLIENTS, Client
from tests.fakes.mcp_upstream import McpUpstream

EVERY_CLIENT = pytest.mark.parametrize("client", [pytest.param(one, id=str(one)) for one in CLIENTS])
TOKEN = "not-looked-at-by-these-servers"  # they take anybody


@EVERY_CLIENT
def test_drivers_work_without_us_on_the_npm_server(client: Client, everything_server: str):
    outcome = listed_and_called(client, everything_server, TOKEN, "echo", {"message": "through no gateway"})
    assert "echo" in outcome.tools
    assert "through no gateway" in outcome.text


@EVERY_CLIENT
def test_drivers_work_without_us_on_the_pypi_server_in_the_newest_revision_of_both(client: Client, time_server: str):
    with started(client, time_server, TOKEN) as talker:
        assert talker.does("protocol") == client.speaks
        assert {"get_current_time", "convert_time"} <= set(talker.does("tools"))
        said = talker.does("call", tool="get_current_time", arguments={"timezone": "UTC"})
    assert '"timezone"' in said["text"]


@EVERY_CLIENT
async def test_drivers_send_the_token_with_every_request(client: Client):
    async with McpUpstream(era="both") as up:
        up.requires = {"Authorization": "Bearer one-of-ours"}
        outcome = await asyncio.to_thread(listed_and_called, client, up.url, "one-of-ours", "echo", {"a": [1, None]})
    assert outcome.text == '{"a":[1,null]}'
    assert up.seen
    assert {one.headers.get("Authorization") for one in up.seen} == {"Bearer one-of-ours"}


async def test_a_client_that_is_refused_says_so():
    async with McpUpstream(era="both") as up:
        up.requires = {"Authorization": "Bearer one-of-ours"}
        with pytest.raises(DriverError, match="401"):
            await asyncio.to_thread(listed_and_called, CLIENTS[5], up.url, "another", "echo", {})
