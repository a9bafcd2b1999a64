"""Tools that are loaded when needed: found by `search_tools`, called by `run_tool` as by their own names."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from core.resolve import InstallationRefusal
from core.snapshot import Rule
from core.tokens import digest
from proxy import search_indexes
from tests.fakes.mcp_upstream import Answer, McpUpstream, Received
from tests.proxy.conftest import Reply, Rig

SCHEMA = {"type": "object", "properties": {"n": {"type": "integer", "description": "how many"}}, "required": ["n"]}
MISSING = InstallationRefusal("credential_missing", "Connect crm first.", "https://archway.test/install/crm")


async def serve(rig: Rig, server: McpUpstream, **fields: Any) -> list[Any]:
    held = rig.control.installation(server.url, entry="crm", installation="ours")
    tools = [
        rig.control.tool(name, "echo", held, schema=SCHEMA, per_principal=True)
        for name in ("crm__find_contact", "crm__delete_contact", "crm__forecast")
    ]
    await rig.serve(tools, tool_loading="search_and_run", **fields)
    return tools


async def ask(rig: Rig, era: str, name: str, **arguments: Any) -> Reply:
    params = {"name": name, "arguments": arguments}
    if era == "modern":
        return await rig.modern("tools/call", params)
    return await rig.legacy("tools/call", params, session=await rig.open_session())


def found(reply: Reply) -> list[dict[str, Any]]:
    told = reply.result["structuredContent"]["tools"]
    assert orjson.loads(reply.result["content"][0]["text"]) == {"tools": told}
    return list(told)


ERAS = pytest.mark.parametrize("era", ["modern", "legacy"])


@ERAS
async def test_the_list_has_the_two_and_a_search_finds_the_others(rig: Rig, upstream: McpUpstream, era: str) -> None:
    await serve(rig, upstream)
    listed = (await (rig.modern("tools/list") if era == "modern" else rig.legacy("tools/list"))).result["tools"]
    assert [one["name"] for one in listed] == ["search_tools", "run_tool"]
    (first, *_) = found(await ask(rig, era, "search_tools", query="find a contact"))
    assert first["name"] == "crm__find_contact"
    assert (first["server"], first["signature"], first["usable"]) == ("crm", "crm__find_contact(n: integer)", True)
    assert len(found(await ask(rig, era, "search_tools", query="contact", limit=1))) == 1


@ERAS
async def test_what_was_found_is_run_as_by_its_own_name(rig: Rig, upstream: McpUpstream, era: str) -> None:
    await serve(rig, upstream)
    told = await ask(rig, era, "run_tool", tool_name="crm__find_contact", tool_args={"n": 2})
    assert told.result["content"][0]["text"] == '{"n":2}'
    assert told.result["_meta"]["archway/account"]["installation"] == "ours"
    (seen,) = [one for one in upstream.seen_of("tools/call") if not one.prepares]
    assert (seen.tool, seen.arguments) == ("echo", {"n": 2})


async def test_a_tool_may_still_be_called_by_its_own_name(rig: Rig, upstream: McpUpstream) -> None:
    await serve(rig, upstream)
    assert (await rig.call("crm__find_contact", {"n": 1})).result["content"][0]["text"] == '{"n":1}'


@ERAS
async def test_wrong_arguments_are_answered_with_the_schema(rig: Rig, upstream: McpUpstream, era: str) -> None:
    await serve(rig, upstream)
    told = await ask(rig, era, "run_tool", tool_name="crm__find_contact", tool_args={"n": "two"})
    assert told.refusal["code"] == "wrong_arguments"
    assert told.result["content"][0]["text"] == "crm__find_contact does not take these arguments: see n (type)."
    assert '"required":["n"]' in told.result["content"][1]["text"]
    assert not [one for one in upstream.seen_of("tools/call") if not one.prepares]


@ERAS
@pytest.mark.parametrize("name", ["run_tool", "search_tools", "crm__none", "echo"])
async def test_neither_itself_nor_what_is_not_there_can_be_run(
    rig: Rig, upstream: McpUpstream, era: str, name: str
) -> None:
    await serve(rig, upstream)
    told = await ask(rig, era, "run_tool", tool_name=name, tool_args={"query": "x", "tool_name": "crm__forecast"})
    assert told.error["code"] == -32602


@ERAS
async def test_a_quarantined_tool_is_in_no_hit_and_refused_in_the_same_words(
    rig: Rig, upstream: McpUpstream, era: str
) -> None:
    await serve(rig, upstream, rules=[Rule("refuse", "quarantined", ["crm__delete_contact"])])
    names = [one["name"] for one in found(await ask(rig, era, "search_tools", query="delete a contact"))]
    assert "crm__delete_contact" not in names
    direct = await ask(rig, era, "crm__delete_contact", n=1)
    through = await ask(rig, era, "run_tool", tool_name="crm__delete_contact", tool_args={"n": 1})
    assert through.refusal["code"] == direct.refusal["code"] == "quarantined"
    assert through.result["content"] == direct.result["content"]


async def test_a_hit_says_whether_the_caller_can_use_it_now_and_what_helps(rig: Rig, upstream: McpUpstream) -> None:
    tools = await serve(rig, upstream)
    rig.control.installations[f"{tools[0].assignment_id}/{digest(rig.token)}"] = MISSING
    hits = {one["name"]: one for one in found(await ask(rig, "modern", "search_tools", query="contact"))}
    assert hits["crm__delete_contact"]["usable"]
    assert not hits["crm__find_contact"]["usable"]
    assert "https://archway.test/install/crm" in hits["crm__find_contact"]["why_not"]


@pytest.mark.parametrize(
    "arguments",
    [{}, {"query": ""}, {"query": "  "}, {"query": "x" * 201}, {"query": 3}, {"query": "x", "limit": 0},
     {"query": "x", "limit": 21}, {"query": "x", "limit": True}, {"query": "x", "limit": "8"}],
)  # fmt: skip
async def test_a_search_of_another_shape_is_refused(
    rig: Rig, upstream: McpUpstream, arguments: dict[str, Any]
) -> None:
    await serve(rig, upstream)
    assert (await ask(rig, "legacy", "search_tools", **arguments)).error["code"] == -32602


@pytest.mark.parametrize("arguments", [{}, {"tool_name": 3}, {"tool_name": "crm__forecast", "tool_args": []}])
async def test_a_run_of_another_shape_is_refused(rig: Rig, upstream: McpUpstream, arguments: dict[str, Any]) -> None:
    await serve(rig, upstream)
    assert (await ask(rig, "legacy", "run_tool", **arguments)).error["code"] == -32602


async def test_on_a_gateway_that_lists_its_tools_the_two_are_not_there(rig: Rig, upstream: McpUpstream) -> None:
    await rig.serve([rig.control.tool("t", "echo", rig.control.installation(upstream.url))])
    for name in ("search_tools", "run_tool"):
        assert (await rig.call(name, {"query": "x", "tool_name": "t"})).error["code"] == -32602


async def test_a_servers_own_tool_of_that_name_is_its_own(rig: Rig, upstream: McpUpstream) -> None:
    await rig.serve([rig.control.tool("run_tool", "echo", rig.control.installation(upstream.url))])
    assert (await rig.call("run_tool", {"n": 1})).result["content"][0]["text"] == '{"n":1}'


async def test_a_new_revision_is_searched_at_once(rig: Rig, upstream: McpUpstream) -> None:
    await serve(rig, upstream)
    assert found(await ask(rig, "modern", "search_tools", query="invoice")) == []
    held = rig.control.installation(upstream.url, entry="crm")
    await rig.serve([rig.control.tool("crm__send_invoice", "echo", held)], tool_loading="search_and_run")
    for _ in range(200):
        hits = found(await ask(rig, "modern", "search_tools", query="invoice"))
        if hits:
            break
    assert [one["name"] for one in hits] == ["crm__send_invoice"]


async def test_what_a_gateway_shows_no_longer_is_in_no_hit_of_an_index_of_before(
    rig: Rig, upstream: McpUpstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search_indexes, "PATIENCE_S", 0.0)
    tools = await serve(rig, upstream)
    assert len(found(await ask(rig, "modern", "search_tools", query="contact"))) == 2
    rules = [Rule("refuse", "quarantined", ["crm__delete_contact"])]
    await rig.serve(tools[:2], tool_loading="search_and_run", rules=rules)
    while "archway/refusal" not in (await rig.call("crm__delete_contact", {"n": 1})).result["_meta"]:
        pass
    # It cannot wait for an index of this revision.
    hits = found(await ask(rig, "modern", "search_tools", query="contact forecast"))
    assert [one["name"] for one in hits] == ["crm__find_contact"]


async def test_a_tool_that_runs_so_may_ask_and_its_caller_answers(rig: Rig) -> None:
    form = {"method": "elicitation/create", "params": {"message": "Which?", "requestedSchema": {"type": "object"}}}

    def asks(received: Received) -> Answer:
        answers = received.params.get("inputResponses")
        if answers is None:
            return Answer(result={"resultType": "input_required", "inputRequests": {"q": form}, "requestState": "s"})
        return Answer(text=orjson.dumps(answers["q"]).decode())

    async with McpUpstream(era="modern") as server:
        server.tool("echo", asks)
        await serve(rig, server)
        meta = {"io.modelcontextprotocol/clientCapabilities": {"elicitation": {}}}
        run = {"name": "run_tool", "arguments": {"tool_name": "crm__forecast", "tool_args": {"n": 1}}}
        asked = (await rig.modern("tools/call", run, meta=meta)).result
        answer = {"action": "accept", "content": {}}
        again = {**run, "inputResponses": {"q": answer}, "requestState": asked["requestState"]}
        told = (await rig.modern("tools/call", again, meta=meta)).result
        assert orjson.loads(told["content"][0]["text"]) == answer
