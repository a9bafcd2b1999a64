from __future__ import annotations

import random
from dataclasses import replace

import msgspec

from control.publish.compile import compile_gateway, compile_index
from control.registry.gateway import AssignedRoute, Gateway, GatewayContents
from core.snapshot import Gateway as CompiledGateway
from core.snapshot import IndexRow, Rule, Visibility
from tests.fakes.registry import a_gateway, assigned

GATEWAY = a_gateway(
    revision=7, visibility="teams", teams=("t2", "t1"), description="d", instructions="i",
    header_allowlist=("X-B", "x-a"), audit_required=True,
)  # fmt: skip


def compiled(gateway: Gateway, *shown: AssignedRoute) -> CompiledGateway:
    return compile_gateway(GatewayContents(gateway, shown))


def test_the_same_rows_in_any_order_give_the_same_bytes() -> None:
    rows = [assigned(name, state=state) for name, state in (("b", "active"), ("a", "held_back"), ("c", "held_back"))]
    first = msgspec.msgpack.encode(compiled(GATEWAY, *rows))
    for seed in range(5):
        random.Random(seed).shuffle(rows)
        assert msgspec.msgpack.encode(compiled(replace(GATEWAY, teams=("t1", "t2")), *rows)) == first


def test_a_gateway_carries_what_proxies_decide_by() -> None:
    found = compiled(GATEWAY)
    assert (found.id, found.slug, found.revision, found.audit_required) == ("g1", "work", 7, True)
    assert found.visibility == Visibility("teams", teams=["t1", "t2"])
    assert found.header_allowlist == ["x-a", "x-b"]


def test_further_ways_in_stand_beside_tokens_so_that_proxies_of_the_version_before_read_it() -> None:
    found = compiled(replace(GATEWAY, identity_provider_id="p1", identity_provider_audience="api://a"))
    assert (found.client_auth, found.client_auth_beside) == (["token"], ["jwt", "oauth"])


def test_a_tool_is_shown_under_its_exposed_name_and_called_by_its_own() -> None:
    tool = compiled(GATEWAY, assigned("github__search")).tools[0]
    assert (tool.exposed, tool.upstream) == ("github__search", "search")
    assert tool.definition == {"name": "github__search", "title": "Search", "inputSchema": {}}


def test_a_server_that_archway_runs_is_where_servers_run_here_and_a_program_over_stdio_is_known_as_one() -> None:
    rows = (assigned("remote"), assigned("stdio", entry_kind="self_hosted", stdio=True))
    for place, kind in (("cluster", "cluster"), ("process", "process"), (None, "process")):
        routes = [one.route for one in compile_gateway(GatewayContents(GATEWAY, rows), place).tools]
        assert [(route.kind, route.stdio) for route in routes] == [("remote", False), (kind, True)]


def test_a_route_is_the_caller_s_own_unless_pinned_to_what_is_shared() -> None:
    rows = [
        assigned("dynamic"),
        assigned("mine", installation_id="i1", installation_scope="personal"),
        assigned("ours", installation_id="i2", installation_scope="team", passthrough=False),
        assigned("programs", installation_id="i3", installation_scope="service"),
    ]
    routes = [tool.route for tool in compiled(GATEWAY, *rows).tools]
    assert [(route.installation_id, route.per_principal, route.passthrough) for route in routes] == [
        (None, True, True),
        ("i1", True, True),
        ("i2", False, False),
        ("i3", True, True),
    ]


def test_where_the_server_gets_another_credential_for_each_caller_it_is_theirs_whoever_installed_it() -> None:
    (tool,) = compiled(
        GATEWAY, assigned("a", installation_id="i1", installation_scope="organisation", for_one_caller=True)
    ).tools
    assert (tool.route.per_principal, tool.route.per_credential) == (True, True)


def test_on_a_personal_gateway_every_route_is_the_caller_s_own_and_headers_go_beside_an_own_credential_alone() -> (
    None
):
    rows = [
        assigned("dynamic"),
        assigned("mine", installation_id="i1", installation_scope="personal"),
        assigned("of_all", installation_id="i3", installation_scope="organisation"),
        assigned("of_team", installation_id="i2", installation_scope="team"),
        assigned("refused", installation_id="i1", installation_scope="personal", passthrough=False),
    ]
    personal = replace(GATEWAY, visibility="personal", owner_id="u1")
    routes = [tool.route for tool in compiled(personal, *rows).tools]
    assert [route.passthrough for route in routes] == [False, True, False, False, False]
    assert all(route.per_principal for route in routes)


def test_quarantined_and_held_back_tools_are_refused_by_rules() -> None:
    rows = [assigned("a", state="held_back"), assigned("b"), assigned("c", state="quarantined")]
    assert compiled(GATEWAY, *rows).rules == [
        Rule("refuse", "quarantined", ["c"]),
        Rule("refuse", "held_back", ["a"]),
    ]


def test_a_resource_is_read_by_its_uri() -> None:
    rows = [assigned("read_notes", kind="resource", upstream_name="notes://all")]
    tool = compiled(GATEWAY, *rows).tools[0]
    assert (tool.kind, tool.upstream) == ("resource", "notes://all")


def test_param_headers_are_taken_from_the_schema_and_wrong_ones_do_not_stop_the_gateway() -> None:
    right = {"type": "object", "properties": {"id": {"type": "string", "x-mcp-header": "Id"}}}
    wrong = {"type": "object", "properties": {"id": {"type": "array", "x-mcp-header": "Id"}}}
    rows = [
        assigned(name, definition={"name": "t", "inputSchema": schema})
        for name, schema in (("a", right), ("b", wrong))
    ]
    tools = compiled(GATEWAY, *rows).tools
    assert [tool.param_headers for tool in tools] == [[("Id", ["id"])], []]


def test_the_index_is_sorted_and_names_its_epoch() -> None:
    rows = [IndexRow("g2", "b", 1), IndexRow("g1", "a", 4)]
    index = compile_index(9, "epoch", rows)
    assert (index.epoch, index.revision) == ("epoch", 9)
    assert [(row.id, row.slug, row.revision) for row in index.gateways] == [("g1", "a", 4), ("g2", "b", 1)]
