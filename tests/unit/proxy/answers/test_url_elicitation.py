from __future__ import annotations

from typing import Any

import orjson
import pytest

from core.mcp.methods import META_CLIENT_CAPABILITIES
from core.mcp.versions import Era
from proxy.answers.refused import answer_of_refusal
from proxy.deps import Deps
from proxy.exchange import Exchange
from proxy.refusals import Refusal
from proxy.sessions.call_state import open_state
from proxy.sessions.client_capabilities import URL_ELICITATION
from proxy.sessions.sealed import Session
from proxy.stages.choose_tool import choose_tool
from proxy.stages.take_answers import MOST_ASKED, bound_to
from tests.fakes.call_parts import exchange, gateway, parts, tool

LINK = "https://archway.test/install/srv?as=user%3Au"
SHOWS_LINKS: dict[str, object] = {META_CLIENT_CAPABILITIES: {"elicitation": {"url": {}}}}


def refusal(reason: str = "credential_missing", link: str = LINK) -> Refusal:
    return Refusal(reason, why="Connect srv first.", link=link)


def modern(deps: Deps, meta: dict[str, object] | None = None) -> Exchange:
    x = exchange(gateway([tool()]), meta=SHOWS_LINKS if meta is None else meta)
    choose_tool(x, deps)
    return x


def legacy(deps: Deps, version: str = "2025-11-25", bits: int = URL_ELICITATION) -> Exchange:
    x = exchange(gateway([tool()]), era=Era.LEGACY)
    x.session = Session("jti", version, bits, 0)
    choose_tool(x, deps)
    return x


def told(x: Exchange, why: Refusal, deps: Deps) -> Any:
    answer = answer_of_refusal(x, why, deps)
    assert answer.status == 200
    return orjson.loads(answer.body)


async def test_a_modern_client_that_can_show_links_is_asked_to() -> None:
    async with parts() as deps:
        x = modern(deps)
        result = told(x, refusal(), deps)["result"]
        state = open_state(deps.settings.key_ring, result.pop("requestState"), bound_to(x))
    assert (result["resultType"], state.asked, x.status) == ("input_required", 1, "credential_missing")
    assert result["inputRequests"] == {
        "sign-in": {
            "method": "elicitation/create",
            "params": {"mode": "url", "url": LINK, "message": "Connect srv first."},
        }
    }
    assert result["_meta"]["archway/refusal"]["link"] == LINK
    assert "ttlMs" not in result


async def test_a_legacy_client_that_can_show_links_gets_the_error_that_asks() -> None:
    async with parts() as deps:
        x = legacy(deps)
        error = told(x, refusal("needs_sign_in"), deps)["error"]
    assert (error["code"], error["data"]["code"]) == (-32042, "needs_sign_in")
    (asked,) = error["data"]["elicitations"]
    assert (asked["mode"], asked["url"], asked["message"]) == ("url", LINK, "Connect srv first.")
    assert asked["elicitationId"]


@pytest.mark.parametrize(
    "meta",
    [
        {},
        {META_CLIENT_CAPABILITIES: {}},
        {META_CLIENT_CAPABILITIES: {"elicitation": {}}},
        {META_CLIENT_CAPABILITIES: {"elicitation": {"form": {}}}},
        {META_CLIENT_CAPABILITIES: {"elicitation": {"url": None}}},
    ],
)
async def test_a_modern_client_that_cannot_is_told_in_words(meta: dict[str, object]) -> None:
    async with parts() as deps:
        result = told(modern(deps, meta), refusal(), deps)["result"]
    assert (result["isError"], result["content"][0]["text"]) == (True, f"Connect srv first. {LINK}")


@pytest.mark.parametrize(
    ("version", "bits"), [("2025-11-25", URL_ELICITATION - 1), ("2025-06-18", URL_ELICITATION), ("2025-11-25", 0)]
)
async def test_a_legacy_client_that_cannot_is_told_in_words(version: str, bits: int) -> None:
    async with parts() as deps:
        result = told(legacy(deps, version, bits), refusal(), deps)["result"]
    assert LINK in result["content"][0]["text"]


async def test_outside_of_a_session_nothing_is_known_of_a_legacy_client() -> None:
    async with parts() as deps:
        x = legacy(deps)
        x.session = None
        assert told(x, refusal(), deps)["result"]["isError"]


@pytest.mark.parametrize(
    "why",
    [
        refusal(link=""),
        refusal(link="archway installations create"),
        refusal("not_allowed"),
        refusal("provider_away"),
        refusal("credential_ambiguous"),
    ],
    ids=["without a link", "with a command", "that no sign-in ends", "that passes", "that names several"],
)
async def test_a_refusal_is_told_in_words_that_no_page_ends(why: Refusal) -> None:
    async with parts() as deps:
        assert told(modern(deps), why, deps)["result"]["isError"]
        assert told(legacy(deps), why, deps)["result"]["isError"]


@pytest.mark.parametrize(("asked", "asks"), [(MOST_ASKED - 1, True), (MOST_ASKED, False)])
async def test_nobody_is_asked_for_ever(asked: int, asks: bool) -> None:
    async with parts() as deps:
        x = modern(deps)
        x.asked = asked
        assert ("inputRequests" in told(x, refusal(), deps)["result"]) == asks
