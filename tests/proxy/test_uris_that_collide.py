"""Two servers of a gateway have the same URI: wherever it stands, callers see theirs, and the server gets its own.

What leads to one server alone stays as it is.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import msgspec
import pytest

from core.snapshot import Offer, Tool
from proxy.stages import show_uris
from tests.fakes.mcp_upstream import Answer, McpUpstream, Received
from tests.fixtures_redis import RedisServer
from tests.proxy.client_of_era import Client
from tests.proxy.conftest import Rig, running_rig
from tests.proxy.protocol_table import Era
from tests.proxy.test_offers import listing, offered, prompts, resources

SHARED, OWN = "file:///x", "crm://1"
SERVERS: dict[str, Era] = {"crm": "modern", "wiki": "legacy"}
ERAS = pytest.mark.parametrize("era", ["modern", "legacy"])


@dataclass
class Pair:
    """Two servers with one URI in common, and a tool `t` and prompts of the first on the gateway."""

    rig: Rig
    crm: McpUpstream
    wiki: McpUpstream
    offers: list[Offer]
    tool: Tool

    async def serve(self) -> None:
        await self.rig.serve([self.tool], offers=self.offers)

    async def called(self, era: Era, **where: Any) -> list[Any]:
        """The content of what the tool answers."""
        return (await (await Client.opened(self.rig, era, **where)).call("t")).result["content"]


@pytest.fixture
async def pair(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Pair]:
    monkeypatch.setattr(show_uris, "LISTS_S", 250.0)  # a busy machine must not decide what a test sees
    async with servers() as (crm, wiki):
        held = {
            name: rig.control.installation(server.url, entry=name) for name, server in (("crm", crm), ("wiki", wiki))
        }
        offers = [offered(rig, "resources", one) for one in held.values()] + [offered(rig, "prompts", held["crm"])]
        made = rig.control.tool("t", "t", held["crm"])
        made_pair = Pair(rig, crm, wiki, offers, made)
        await made_pair.serve()
        yield made_pair
        assert crm.complaints == wiki.complaints == []


@asynccontextmanager
async def servers() -> AsyncIterator[tuple[McpUpstream, McpUpstream]]:
    async with McpUpstream(era=SERVERS["crm"]) as crm, McpUpstream(era=SERVERS["wiki"]) as wiki:
        resources(crm, SHARED, OWN, templates=("notes://{id}", "crm://{id}"))
        resources(wiki, SHARED, "wiki://1", templates=("notes://{id}", "wiki://{id}"))
        prompts(crm, "greet")
        yield crm, wiki


def link(uri: str) -> dict[str, Any]:
    return {"type": "resource_link", "uri": uri, "name": "n"}


def embedded(uri: str, text: str = "t") -> dict[str, Any]:
    return {"type": "resource", "resource": {"uri": uri, "text": text}}


def uri_of(block: dict[str, Any]) -> str:
    return block.get("resource", block)["uri"]


def uris_of(blocks: list[Any]) -> list[str]:
    return [uri_of(block) for block in blocks]


@ERAS
async def test_templates_that_two_servers_have_are_told_apart(pair: Pair, era: Era) -> None:
    told = (await (await Client.opened(pair.rig, era)).ask("resources/templates/list")).result["resourceTemplates"]
    assert [one["uriTemplate"] for one in told] == [
        "crm+notes://{id}",
        "crm://{id}",
        "wiki+notes://{id}",
        "wiki://{id}",
    ]


@ERAS
@pytest.mark.parametrize(
    ("uri", "server", "own"),
    [
        ("crm+file:///x", "crm", "file:///x"),
        ("wiki+file:///x", "wiki", "file:///x"),
        ("crm+notes://7", "crm", "notes://7"),
        ("wiki://1", "wiki", "wiki://1"),
        ("crm+crm://1", "crm", "crm://1"),
    ],
)
async def test_what_is_read_comes_back_under_the_uri_that_was_asked(
    pair: Pair, era: Era, uri: str, server: str, own: str
) -> None:
    (told,) = (await (await Client.opened(pair.rig, era)).ask("resources/read", {"uri": uri})).result["contents"]
    asked = {"crm": pair.crm, "wiki": pair.wiki}[server]
    assert (told["uri"], told["text"]) == (uri, f"{asked.port} ")
    assert asked.seen_of("resources/read")[-1].params["uri"] == own


@ERAS
async def test_what_is_read_beside_it_is_the_callers_too(pair: Pair, era: Era) -> None:
    pair.crm.on(
        "resources/read", Answer(result={"contents": [{"uri": SHARED, "text": "a"}, {"uri": OWN, "text": "b"}]})
    )
    told = (await (await Client.opened(pair.rig, era)).ask("resources/read", {"uri": "crm://9"})).result["contents"]
    assert [one["uri"] for one in told] == ["crm+file:///x", OWN]


@ERAS
@pytest.mark.parametrize("block", [link, embedded], ids=["link", "embedded"])
async def test_a_tools_result_has_the_callers_uris(pair: Pair, era: Era, block: Any) -> None:
    given = [SHARED, OWN, "crm://7", "notes://7"]
    pair.crm.tool("t", Answer(result={"content": [{"type": "text", "text": SHARED}, *map(block, given)]}))
    text, *told = await pair.called(era)
    assert text["text"] == SHARED
    assert uris_of(told) == ["crm+file:///x", OWN, "crm://7", "crm+notes://7"]
    client = await Client.opened(pair.rig, era)
    for uri, own in zip(uris_of(told), given, strict=True):
        assert (await client.ask("resources/read", {"uri": uri})).result["contents"][0]["text"] == f"{pair.crm.port} "
        assert pair.crm.seen_of("resources/read")[-1].params["uri"] == own


@ERAS
@pytest.mark.parametrize("block", [link, embedded], ids=["link", "embedded"])
async def test_a_prompt_has_the_callers_uris(pair: Pair, era: Era, block: Any) -> None:
    messages = [{"role": "user", "content": block(uri)} for uri in (SHARED, OWN)]
    pair.crm.on("prompts/get", Answer(result={"messages": messages}))
    told = (await (await Client.opened(pair.rig, era)).ask("prompts/get", {"name": "greet"})).result["messages"]
    assert uris_of([one["content"] for one in told]) == ["crm+file:///x", OWN]


@ERAS
async def test_a_resource_that_is_a_tool_has_the_callers_uri(pair: Pair, era: Era) -> None:
    pair.tool = msgspec.structs.replace(pair.tool, upstream=SHARED, kind="resource")
    await pair.serve()
    assert uris_of(await pair.called(era)) == ["crm+file:///x"]


@ERAS
async def test_a_server_completes_its_own_template(pair: Pair, era: Era) -> None:
    pair.wiki.on("completion/complete", Answer(result={"completion": {"values": ["7"]}}))
    wanted = {"ref": {"type": "ref/resource", "uri": "wiki+notes://{id}"}, "argument": {"name": "id", "value": ""}}
    told = (await (await Client.opened(pair.rig, era)).ask("completion/complete", wanted)).result
    assert told["completion"]["values"] == ["7"]
    assert pair.wiki.seen_of("completion/complete")[-1].params["ref"] == {
        "type": "ref/resource",
        "uri": "notes://{id}",
    }


@ERAS
async def test_an_error_names_the_callers_uri(pair: Pair, era: Era) -> None:
    pair.crm.on("resources/read", Answer(error=(-32602, "gone", {"uri": SHARED})))
    client = await Client.opened(pair.rig, era)
    assert (await client.ask("resources/read", {"uri": "crm+file:///x"})).error["data"]["uri"] == "crm+file:///x"


@ERAS
async def test_a_large_result_has_the_callers_uris(pair: Pair, era: Era) -> None:
    long = "x" * (1 << 20)
    pair.crm.tool("t", Answer(result={"content": [embedded(SHARED, long), link(SHARED), embedded(OWN)]}))
    first, *others = await pair.called(era)
    assert (uri_of(first), first["resource"]["text"]) == ("crm+file:///x", long)
    assert uris_of(others) == ["crm+file:///x", OWN]


async def test_a_large_resource_is_read_under_the_uri_that_was_asked(pair: Pair) -> None:
    long = "x" * (1 << 20)
    pair.wiki.on("resources/read", Answer(result={"contents": [{"uri": SHARED, "text": long}]}))
    client = await Client.opened(pair.rig, "modern")
    (told,) = (await client.ask("resources/read", {"uri": "wiki+file:///x"})).result["contents"]
    assert (told["uri"], told["text"]) == ("wiki+file:///x", long)


async def test_a_link_that_becomes_text_is_the_callers(pair: Pair) -> None:
    pair.crm.tool("t", Answer(result={"content": [link(SHARED)]}))
    (told,) = await pair.called("legacy", version="2025-03-26")
    assert told == {"type": "text", "text": "n: crm+file:///x"}


@ERAS
async def test_what_nobody_lists_gets_the_name_unless_it_is_a_place_on_the_web(pair: Pair, era: Era) -> None:
    web = "https://docs.example/x"
    pair.crm.tool("t", Answer(result={"content": [link("secret://7"), link(web)]}))
    assert uris_of(await pair.called(era)) == ["crm+secret://7", web]
    pair.crm.on("resources/list", listing("resources", web))
    pair.wiki.on("resources/list", listing("resources", web))
    pair.rig.token = pair.rig.control.token()  # whose lists nobody has asked for
    other = await Client.opened(pair.rig, era)
    assert uris_of((await other.call("t")).result["content"]) == ["crm+secret://7", f"crm+{web}"]


@ERAS
async def test_where_one_server_alone_has_resources_nothing_is_renamed_and_no_list_asked_for(
    pair: Pair, era: Era
) -> None:
    pair.offers = pair.offers[:1]
    await pair.serve()
    pair.crm.tool("t", Answer(result={"content": [link(SHARED), embedded("secret://7")]}))
    assert uris_of(await pair.called(era)) == [SHARED, "secret://7"]
    assert pair.crm.seen_of("resources/list") == []


async def test_a_server_whose_list_does_not_come_holds_no_result_up(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = asyncio.Event()
    pair.wiki.on("resources/list", Answer(hold=held, result={"resources": []}))
    pair.crm.tool("t", Answer(result={"content": [link(SHARED), link(OWN)]}))
    monkeypatch.setattr(show_uris, "LISTS_S", 0.1)
    assert uris_of(await pair.called("modern")) == ["crm+file:///x", "crm+crm://1"]
    held.set()


async def test_who_is_back_with_answers_at_a_worker_that_has_no_lists_is_understood(
    pair: Pair, redis_server: RedisServer
) -> None:
    rig = pair.rig
    other = offered(rig, "prompts", rig.control.installation(pair.wiki.url, entry="wiki"))
    prompts(pair.wiki, "own")
    pair.offers.append(other)
    await pair.serve()
    form = {"message": "Which?", "requestedSchema": {"type": "object", "properties": {}}}

    def asks(received: Received) -> Answer:
        if "inputResponses" in received.params:
            return Answer(result={"messages": []})
        question = {"q": {"method": "elicitation/create", "params": form}}
        return Answer(result={"resultType": "input_required", "inputRequests": question, "requestState": "s-1"})

    pair.crm.on("prompts/get", asks)
    client = await Client.opened(rig, "modern", can={"elicitation": {}})
    asked = (await client.ask("prompts/get", {"name": "greet"})).result
    answers = {key: {"action": "accept", "content": {}} for key in asked["inputRequests"]}
    again = {"name": "greet", "inputResponses": answers, "requestState": asked["requestState"]}
    async with running_rig(redis_server, rig.way, control=rig.control) as client.rig:
        client.rig.token = rig.token
        assert (await client.ask("prompts/get", again)).result["messages"] == []
    assert "inputResponses" not in pair.crm.seen_of("prompts/list")[-1].params


@ERAS
async def test_a_page_of_an_app_that_two_servers_have_is_the_callers_wherever_it_stands(pair: Pair, era: Era) -> None:
    """On a gateway without any resources, where tools alone name their pages."""
    app = {"_meta": {"ui": {"resourceUri": "ui://app"}}}
    other = pair.rig.control.tool("o", "o", pair.rig.control.installation(pair.wiki.url, entry="wiki"))
    tools = [msgspec.structs.replace(one, definition={**one.definition, **app}) for one in (pair.tool, other)]
    await pair.rig.serve(tools)
    pair.crm.tool("t", Answer(result={"content": [embedded("ui://app"), link("ui://another")]}))
    assert uris_of(await pair.called(era)) == ["ui://t+app", "ui://another"]
    client = await Client.opened(pair.rig, era)
    (told,) = (await client.ask("resources/read", {"uri": "ui://t+app"})).result["contents"]
    assert (told["uri"], told["text"]) == ("ui://t+app", f"{pair.crm.port} ")
