from typing import Any

import orjson
import pytest
from msgspec.structs import replace

from core.mcp.versions import Era
from core.resolve import Principal
from core.snapshot import Offer, Route, Rule, Visibility
from proxy.gateways.compiled import CompiledGateway, compiled_tool
from tests.fakes.call_parts import gateway, tool


def listed_by(made: CompiledGateway, era: Era) -> list[dict[str, Any]]:
    """The first page of its tools."""
    answer = orjson.loads(b'{"id":1' + made.tool_lists[era][None])
    tools: list[dict[str, Any]] = answer["result"]["tools"]
    return tools


def test_tools_are_found_by_the_name_they_are_shown_by() -> None:
    made = CompiledGateway(gateway([tool("a"), tool("b")]))
    assert made.tools["a"].upstream == "upstream-a"
    assert "upstream-a" not in made.tools


def test_a_server_is_asked_for_its_own_name_of_a_tool_and_its_result_is_the_callers() -> None:
    made = compiled_tool(tool("a"), None)
    assert made.asks({"name": "a", "arguments": {"n": 1}, "x": 2}) == (
        "tools/call",
        {"name": "upstream-a", "arguments": {"n": 1}},
    )
    assert made.asks({})[1]["arguments"] == {}
    assert made.result_of({"content": []}) == {"content": []}


def test_a_resource_that_is_offered_as_a_tool_is_read_and_its_contents_are_embedded() -> None:
    made = compiled_tool(tool("a", upstream="x:y", kind="resource"), None)
    assert made.asks({"arguments": {"n": 1}}) == ("resources/read", {"uri": "x:y"})
    told = made.result_of({"contents": [{"uri": "x:y"}]})
    assert told == {"content": [{"type": "resource", "resource": {"uri": "x:y"}}], "isError": False}
    assert made.result_of({"content": []}) is None
    large = made.result_of({"contents": orjson.Fragment(b'[{"uri":"x:y"},{"uri":"x:z"}]')})
    resources = [{"type": "resource", "resource": {"uri": uri}} for uri in ("x:y", "x:z")]
    assert orjson.loads(orjson.dumps(large)) == {"content": resources, "isError": False}
    assert made.result_of({"contents": orjson.Fragment(b"7")}) is None


def test_the_first_rule_that_names_a_tool_decides_and_hides_it() -> None:
    rules = [Rule("refuse", "held_back", ["a"]), Rule("refuse", "quarantined", ["a", "b"])]
    made = CompiledGateway(gateway([tool("a"), tool("b"), tool("c")], rules=rules))

    assert [made.tools[name].rule for name in "abc"] == [rules[0], rules[1], None]
    assert [listed["name"] for listed in listed_by(made, Era.MODERN)] == ["c"]


@pytest.mark.parametrize("era", list(Era))
@pytest.mark.parametrize(
    ("execution", "listed"),
    [
        ({"taskSupport": "required"}, False),
        ({"taskSupport": "optional"}, True),
        ({"taskSupport": "forbidden"}, True),
        ({}, True),
        (None, True),
        ("required", True),
    ],
)
def test_a_tool_that_works_only_as_a_task_is_in_no_list_and_refused_by_a_rule_of_its_own(
    era: Era, execution: object, listed: bool
) -> None:
    made = CompiledGateway(gateway([tool("a", definition={"name": "a", "execution": execution}), tool("b")]))
    assert ("a" in [one["name"] for one in listed_by(made, era)]) is listed
    rule = made.tools["a"].rule
    assert (rule is None) is listed
    assert rule is None or rule.reason == "only_as_task"


def test_quarantine_of_a_tool_that_works_only_as_a_task_is_told_first() -> None:
    one = tool("a", definition={"name": "a", "execution": {"taskSupport": "required"}})
    made = CompiledGateway(gateway([one], rules=[Rule("refuse", "quarantined", ["a"])]))
    assert made.tools["a"].rule == Rule("refuse", "quarantined", ["a"])


def test_each_era_is_shown_what_it_understands() -> None:
    made = CompiledGateway(gateway([tool("a", definition={"outputSchema": {"type": "array"}, "execution": {}})]))
    assert "outputSchema" not in listed_by(made, Era.LEGACY)[0]
    assert "execution" not in listed_by(made, Era.MODERN)[0]


@pytest.mark.parametrize(
    "name",
    ["authorization", "Authorization", "cookie", "host", "content-length", "mcp-name", "accept", "te", "proxy-x",
     "transfer-encoding", "traceparent", "last-event-id", "x-api-key", "X-Real-IP", "forwarded", "x_user",
     "x-http-method-override"],
)  # fmt: skip
def test_what_must_not_pass_does_not_even_from_a_snapshot(name: str) -> None:
    assert CompiledGateway(gateway(header_allowlist=[name, "x-fine"])).allowlist == ("x-fine",)


def test_the_visibility_decides_who_is_admitted() -> None:
    made = CompiledGateway(gateway(visibility=Visibility("teams", ["red"])))
    assert made.admits(Principal("user", "u", "u", frozenset({"red"})))
    assert not made.admits(Principal("user", "u", "u", frozenset({"blue"})))


@pytest.mark.parametrize(
    ("accepted", "by_token"), [(["token"], True), (["oauth", "token"], True), (["oauth"], False), ([], False)]
)
def test_a_gateway_accepts_the_ways_of_authenticating_that_its_snapshot_names(
    accepted: list[str], by_token: bool
) -> None:
    assert CompiledGateway(gateway(client_auth=accepted)).accepts("token") is by_token
    assert CompiledGateway(gateway(client_auth=accepted, client_auth_beside=["jwt"])).accepts("jwt")
    assert CompiledGateway(gateway()).accepts("token"), "nothing is said in a snapshot of the version before"


def resources_of(entry: str, installation: str | None = None, kind: Any = "resources") -> Offer:
    route = Route("remote", entry, entry, installation_id=installation)
    return Offer(entry, kind, f"{kind} of {entry} {installation}", f"{entry}__all", route)


def test_uris_of_a_server_get_a_name_where_another_offers_resources_too() -> None:
    crm, own, wiki = resources_of("crm"), resources_of("crm", "i-1"), resources_of("wiki")
    held = CompiledGateway(gateway(offers=[crm, own, wiki, resources_of("git", kind="prompts")]))
    assert held.names_uris_by(crm.route) is crm
    assert held.names_uris_by(own.route) is own
    assert held.names_uris_by(Route("remote", "crm", "crm", installation_id="i-2")) is crm
    assert held.names_uris_by(Route("remote", "git", "git")) is None


def test_uris_of_the_only_server_with_resources_stay() -> None:
    crm = resources_of("crm")
    held = CompiledGateway(gateway(offers=[crm, resources_of("wiki", kind="prompts")]))
    assert held.names_uris_by(crm.route) is None


def test_pages_of_apps_that_two_servers_have_are_known_by_other_uris() -> None:
    named = {"_meta": {"ui": {"resourceUri": "ui://app"}}}
    crm, wiki = Route("remote", "crm", "crm"), Route("remote", "wiki", "wiki")
    tools = [replace(tool(name, definition=named), route=route) for name, route in (("a", crm), ("b", wiki))]
    held = CompiledGateway(gateway(tools))
    assert held.renamed_pages(crm) == {"ui://app": "ui://a+app"}
    assert CompiledGateway(gateway(tools[:1])).renamed_pages(crm) == {}
