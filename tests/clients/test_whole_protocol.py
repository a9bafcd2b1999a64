"""Real clients of both eras on one gateway with two real servers: one that speaks legacy revisions alone and one that
speaks 2026-07-28 alone. Each client lists what both offer and uses it; what one cannot do is in `what_clients_do.py`.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from fastmcp import Client as FastMcpClient

from tests.clients.real_clients import DriverError, Talker, started
from tests.clients.what_clients_do import CLIENTS, Client, can
from tests.fixtures_archway import RunningArchway

HEARD_WITHIN_S = 60.0
NEWS = "notifications/tools/list_changed"
OLD, NEW = "legacy", "modern"
"""The entries of the two servers."""


@dataclass
class Gateway:
    """The one that all clients use."""

    url: str
    token: str
    api: Any
    assignments: str

    def rename(self, tool: str, name: str) -> None:
        """Show a tool of the server under this name: the list changes for everybody who is connected."""
        (one,) = [one for one in self.api.pages(self.assignments) if one["tool_name"] == tool]
        self.api.patch(f"{self.assignments}/{one['id']}", {"exposed_name": name})


@pytest.fixture(scope="module")
def gateway(archway: RunningArchway, everything_server: str, modern_only_server: str) -> Gateway:
    """All that both servers have, and what it takes to change it."""
    both = [archway.entry(OLD, everything_server), archway.entry(NEW, modern_only_server)]
    assert [installed["server"]["era"] for _, installed in both] == [OLD, NEW]
    url = archway.gateway("whole", *both, tools=("*", "all_resources", "all_prompts"))
    (made,) = [one for one in archway.api.pages("/gateways") if one["slug"] == "whole"]
    return Gateway(url, archway.token(), archway.api, f"/gateways/{made['id']}/assignments")


@pytest.fixture(scope="module")
def talker(request: pytest.FixtureRequest, gateway: Gateway) -> Iterator[Talker]:
    """One client after the other, each with one connection for all tests of it."""
    with started(request.param, gateway.url, gateway.token) as connected:
        yield connected


def every_client_that_can(thing: str) -> pytest.MarkDecorator:
    """A test of this thing for each of them."""
    able = [pytest.param(one, id=str(one)) for one in CLIENTS if can(one, thing)]
    return pytest.mark.parametrize("talker", able, indirect=True)


@pytest.mark.parametrize(
    ("talker", "speaks"), [pytest.param(one, one.speaks, id=str(one)) for one in CLIENTS], indirect=["talker"]
)
def test_it_speaks_the_revision_that_the_table_says(talker: Talker, speaks: str) -> None:
    assert talker.does("protocol") == speaks


@every_client_that_can("tools")
def test_tools_of_both_servers_are_listed_and_called(talker: Talker) -> None:
    assert {"legacy__echo", "modern__say"} <= set(talker.does("tools"))
    assert "Hello" in talker.does("call", tool="legacy__echo", arguments={"message": "Hello"})["text"]
    assert talker.does("call", tool="modern__say", arguments={"text": "Hello"})["text"] == "modern: Hello"


@every_client_that_can("resources")
def test_resources_of_both_servers_are_listed_and_read(talker: Talker) -> None:
    assert {"demo://resource/static/document/features.md", "modern://motto"} <= set(talker.does("resources"))
    assert "Everything" in talker.does("read", uri="demo://resource/static/document/features.md")
    assert talker.does("read", uri="modern://motto") == "modern and nothing else"


@every_client_that_can("resources")
def test_templates_of_both_servers_are_listed_and_filled_in(talker: Talker) -> None:
    listed = set(talker.does("templates"))
    assert {"demo://resource/dynamic/text/{resourceId}", "modern://cities/{city}"} <= listed
    assert "Resource 7" in talker.does("read", uri="demo://resource/dynamic/text/7")
    assert talker.does("read", uri="modern://cities/Oslo") == "about Oslo"


@every_client_that_can("prompts")
def test_prompts_of_both_servers_are_listed_and_got(talker: Talker) -> None:
    assert {"args-prompt", "travel"} <= set(talker.does("prompts"))
    assert "weather in Paris" in talker.does("get", prompt="args-prompt", arguments={"city": "Paris"})
    assert talker.does("get", prompt="travel", arguments={"city": "Oslo"}) == "Plan a day in Oslo"


@every_client_that_can("completion")
def test_arguments_of_prompts_of_both_servers_are_completed(talker: Talker) -> None:
    asked = {"prompt": "completable-prompt", "argument": "department", "value": "E"}
    assert talker.does("complete", **asked) == ["Engineering"]
    assert talker.does("complete", prompt="travel", argument="city", value="Li") == ["Lima", "Lisbon"]


@every_client_that_can("a form")
def test_the_legacy_server_asks_for_a_form_and_gets_it(talker: Talker) -> None:
    said = talker.does("call", tool="legacy__trigger-elicitation-request", arguments={})
    assert said["asked"] == ["legacy (legacy) asks: Please provide inputs for the following fields:"]
    assert "Name: Ada" in said["text"]


@every_client_that_can("a form")
def test_the_modern_server_asks_for_a_form_and_gets_it(talker: Talker) -> None:
    said = talker.does("call", tool="modern__greet", arguments={})
    assert (said["text"], said["asked"]) == ("Hello Ada", ["modern (modern) asks: Who are you?"])


@every_client_that_can("progress")
def test_progress_of_both_servers_is_shown(talker: Talker) -> None:
    slow = {"duration": 0.02, "steps": 2}
    said = talker.does("call", tool="legacy__trigger-long-running-operation", arguments=slow)
    assert said["progress"] == [[1, 2], [2, 2]]
    said = talker.does("call", tool="modern__steps", arguments={"number": 3})
    assert said["progress"] == [[1, 3], [2, 3], [3, 3]]


@every_client_that_can("news of lists")
def test_it_hears_that_a_list_has_changed_and_finds_the_new_name(talker: Talker, gateway: Gateway) -> None:
    names = ["modern__spare", "renamed"]
    until_it_lists(talker, names[0])
    talker.does("listen")
    before = talker.does("heard").count(NEWS)
    # A legacy client opens its stream by itself, when it likes: what changes before that it does not hear.
    for _ in soon("it heard nothing"):
        if talker.does("heard").count(NEWS) > before:
            break
        names.reverse()
        gateway.rename("spare", names[0])
    until_it_lists(talker, names[0])
    gateway.rename("spare", "modern__spare")


def soon(late: str) -> Iterator[None]:
    """Turns to look whether something is so, until it has taken too long."""
    until = time.monotonic() + HEARD_WITHIN_S
    while time.monotonic() < until:
        yield
        time.sleep(0.2)
    pytest.fail(late)


def until_it_lists(talker: Talker, name: str) -> None:
    """A change is felt a moment after it was made."""
    for _ in soon(f"it does not list {name}"):
        if name in talker.does("tools"):
            return


@pytest.mark.parametrize("client", [pytest.param(one, id=str(one)) for one in CLIENTS])
def test_it_is_told_that_a_made_up_token_is_none(client: Client, gateway: Gateway) -> None:
    refused = pytest.raises(DriverError, match=r"401|[Uu]nauthorized|send a token|auth_required")
    with started(client, gateway.url, "arch_made_up") as talker, refused:
        talker.does("tools")


INSPECTOR = next(one for one in CLIENTS if one.program == "inspector")


@pytest.mark.parametrize("talker", [INSPECTOR], indirect=True)
def test_the_inspector_s_command_line_completes_nothing_still(talker: Talker) -> None:
    with pytest.raises(DriverError, match="Unsupported method"):
        talker.does("completion/complete")


def test_the_client_of_fastmcp_cannot_listen_still() -> None:
    assert not hasattr(FastMcpClient, "listen")
