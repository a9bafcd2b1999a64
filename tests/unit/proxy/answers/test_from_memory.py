from __future__ import annotations

import json

import pytest

from core.mcp.faults import MessageFault
from core.mcp.message import Request
from core.mcp.questions import QUESTIONS
from core.mcp.versions import Era
from core.snapshot import Rule
from proxy.deps import Deps
from proxy.exchange import Answer, Exchange
from proxy.gateways.compiled import CompiledGateway
from proxy.methods import FromMemory, method_of
from proxy.sessions.client_capabilities import URL_ELICITATION
from tests.fakes.callers import a_user
from tests.fakes.proxy_parts import exchange, gateway, tool


def asked(held: CompiledGateway, method: str, era: Era = Era.MODERN, **params: object) -> Exchange:
    x = exchange({})
    x.gateway, x.era, x.caller = held, era, a_user("1")
    x.message = Request(1, method, dict(params), era, {})
    return x


def from_memory(x: Exchange, deps: Deps) -> Answer:
    method = method_of(x)
    assert isinstance(method, FromMemory)
    return method.answer(x, deps)


def result(x: Exchange, deps: Deps) -> dict[str, object]:
    return dict(json.loads(from_memory(x, deps).body)["result"])


async def test_initialize_opens_a_session_that_knows_what_the_client_can(deps: Deps) -> None:
    x = asked(
        gateway(instructions="Be kind."),
        "initialize",
        Era.LEGACY,
        protocolVersion="2025-06-18",
        capabilities={"roots": {}, "elicitation": {}, "unheard-of": {}},
    )
    answer = from_memory(x, deps)
    opened = json.loads(answer.body)["result"]

    assert (opened["protocolVersion"], opened["instructions"]) == ("2025-06-18", "Be kind.")
    assert x.session is not None
    assert [name for bit, name in enumerate(QUESTIONS) if x.session.capabilities >> bit & 1] == [
        "elicitation",
        "roots",
    ]
    assert await deps.sessions.open(answer.headers["Mcp-Session-Id"], x.gateway.id, a_user("1")) == x.session  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("declared", "shows_links"),
    [
        ({"elicitation": {"url": {}}}, True),
        ({"elicitation": {"form": {}, "url": {}}}, True),
        ({"elicitation": {}}, False),
        ({"elicitation": {"form": {}}}, False),
        ({"elicitation": {"url": True}}, False),
        ({"elicitation": True}, False),
        ({"url": {}}, False),
        ([], False),
    ],
)
async def test_a_session_knows_whether_its_client_can_show_a_link(
    deps: Deps, declared: object, shows_links: bool
) -> None:
    x = asked(gateway(), "initialize", Era.LEGACY, protocolVersion="2025-11-25", capabilities=declared)
    from_memory(x, deps)
    assert x.session is not None
    assert bool(x.session.capabilities & URL_ELICITATION) == shows_links


@pytest.mark.parametrize("wanted", ["1999-01-01", None, 7])
async def test_a_version_that_we_do_not_know_is_answered_with_one_that_we_do(deps: Deps, wanted: object) -> None:
    x = asked(gateway(), "initialize", Era.LEGACY, protocolVersion=wanted, capabilities=None)
    assert result(x, deps)["protocolVersion"] == "2025-11-25"


async def test_discover_says_what_is_served(deps: Deps) -> None:
    found = result(asked(gateway(), "server/discover"), deps)
    assert (found["supportedVersions"], found["cacheScope"]) == (["2026-07-28"], "private")


async def test_a_list_comes_in_pages_that_follow_each_other(deps: Deps) -> None:
    held = gateway(*(tool(f"t{number:03}") for number in range(401)))
    names: list[str] = []
    cursor: dict[str, object] = {}
    for _ in range(3):
        page = result(asked(held, "tools/list", **cursor), deps)
        names += [one["name"] for one in page["tools"]]  # type: ignore[attr-defined]
        cursor = {"cursor": page.get("nextCursor")}
    assert names == [f"t{number:03}" for number in range(401)]
    assert cursor == {"cursor": None}


@pytest.mark.parametrize("cursor", ["", "x", "cGFnZTo5OQ==", "cGFnZTotMQ==", "cGFnZTp4", 3, "a" * 65, "b3RoZXI6MA=="])
@pytest.mark.parametrize(("era", "status"), [(Era.MODERN, 400), (Era.LEGACY, 200)])
async def test_a_cursor_that_is_not_ours_is_refused(deps: Deps, cursor: object, era: Era, status: int) -> None:
    with pytest.raises(MessageFault) as caught:
        from_memory(asked(gateway(tool("t")), "tools/list", era, cursor=cursor), deps)
    assert (caught.value.code, caught.value.http_status) == (-32602, status)


async def test_tools_that_a_rule_refuses_are_not_listed(deps: Deps) -> None:
    held = gateway(tool("a"), tool("b"), rules=[Rule("refuse", "quarantined", ["a"])])
    listed = result(asked(held, "tools/list", Era.LEGACY), deps)["tools"]
    assert [one["name"] for one in listed] == ["b"]  # type: ignore[attr-defined]
