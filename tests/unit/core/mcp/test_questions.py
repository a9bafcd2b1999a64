from __future__ import annotations

from typing import Any

import pytest

from core.mcp.questions import (
    LONGEST_KEY,
    MOST_AT_ONCE,
    QUESTIONS,
    host_of,
    passed_on,
    profile_of,
    why_not_asked,
    with_who,
)

ALL = frozenset(QUESTIONS)
FORM = {"method": "elicitation/create", "params": {"message": "Your name?", "requestedSchema": {}}}
LINK = {
    "method": "elicitation/create",
    "params": {"mode": "url", "message": "Sign in", "url": "https://idp.example/x"},
}
MODEL = {"method": "sampling/createMessage", "params": {"messages": []}}
ROOTS: dict[str, Any] = {"method": "roots/list", "params": {}}


def test_a_server_is_told_of_what_the_client_can_as_far_as_the_gateway_allows_it() -> None:
    declared = {"elicitation": {"url": {}}, "sampling": {}, "roots": {"listChanged": True}, "tasks": {}, "x": {}}
    assert passed_on(declared, {"elicitation"}) == {"elicitation": {"url": {}}}
    assert passed_on(declared, ALL).keys() == set(QUESTIONS)
    assert passed_on(declared, set()) == {}


@pytest.mark.parametrize("declared", [None, [], "elicitation", {"elicitation": True}, {"elicitation": None}])
def test_of_what_is_no_declaration_nothing_is_told(declared: object) -> None:
    assert passed_on(declared, ALL) == {}


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"a": FORM}, {"elicitation": {}}),
        ({"a": FORM}, {"elicitation": {"form": {}}}),
        ({"a": LINK}, {"elicitation": {"url": {}}}),
        ({"a": MODEL, "b": ROOTS}, {"sampling": {}, "roots": {}}),
        ({"a": {"method": "roots/list"}}, {"roots": {}}),
        ({}, {}),
    ],
)
def test_what_was_declared_may_be_asked(asked: dict[str, Any], told: dict[str, object]) -> None:
    assert why_not_asked(asked, told) is None


@pytest.mark.parametrize(
    ("asked", "told", "why"),
    [
        ([], {}, "no object"),
        ({"a": FORM}, {}, "not declared"),
        ({"a": FORM}, {"elicitation": {"url": {}}}, "mode that was not declared"),
        ({"a": LINK}, {"elicitation": {}}, "mode that was not declared"),
        ({"a": {**LINK, "params": {"mode": 3}}}, {"elicitation": {"url": {}}}, "mode that was not declared"),
        ({"a": {"method": "tools/call"}}, {"elicitation": {}}, "no kind that is known"),
        ({"a": {"method": ["x"]}}, {"elicitation": {}}, "no kind that is known"),
        ({"a": 1}, {"elicitation": {}}, "no kind that is known"),
        ({"a": {**FORM, "params": []}}, {"elicitation": {}}, "without params"),
        ({"a" * (LONGEST_KEY + 1): FORM}, {"elicitation": {}}, "too long a name"),
        ({str(n): FORM for n in range(MOST_AT_ONCE + 1)}, {"elicitation": {}}, "at once"),
    ],
)
def test_anything_else_may_not_and_it_is_said_why(asked: object, told: dict[str, object], why: str) -> None:
    assert why in str(why_not_asked(asked, told))


def test_the_words_say_who_asks_and_where_a_link_leads() -> None:
    assert with_who(FORM, "crm (ours)")["params"]["message"] == "crm (ours) asks: Your name?"  # type: ignore[index]
    told = with_who(LINK, "crm")["params"]
    assert told["message"] == "crm asks (opens idp.example): Sign in"  # type: ignore[index]
    assert with_who(ROOTS, "crm") == ROOTS


def test_who_asks_is_said_of_a_form_that_has_no_words_of_its_own() -> None:
    silent = {"method": "elicitation/create", "params": {"requestedSchema": {"title": "Archway asks"}}}
    assert with_who(silent, "crm")["params"]["message"] == "crm asks: "  # type: ignore[index]


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://idp.example/x", "idp.example"),
        ("https://IDP.example:8443/", "idp.example:8443"),
        ("https://gateway.example@evil.example/", "evil.example"),
        ("javascript:alert(1)", ""),
        ("https://[", ""),
        ("https://[::1]:8443/", "[::1]:8443"),
        ("https://192.0.2.1/", "192.0.2.1"),
        # A browser goes elsewhere than the words would say, or may: not told, so not passed on.
        ("https://gateway.example\\@evil.example/", ""),
        ("https://gateway\u3002example/", ""),
        ("https://g\u00adateway.example/", ""),
        ("https://gatew%61y.example/", ""),
        ("https://2130706433/", ""),
        ("https://0x7f.1/", ""),
        ("javascript://evil.example/%0aalert(1)", ""),
        ("file://gateway.example/x", ""),
    ],
)
def test_the_host_of_a_link_is_where_the_browser_goes(url: str, host: str) -> None:
    assert host_of({"params": {"mode": "url", "url": url}}) == host


def test_a_form_has_no_host() -> None:
    assert host_of(FORM) is None


def test_the_same_capabilities_are_one_profile_and_others_another() -> None:
    one = profile_of({"elicitation": {"url": {}, "form": {}}, "sampling": {}})
    assert one == profile_of({"sampling": {}, "elicitation": {"form": {}, "url": {}}})
    assert len({one, profile_of({"elicitation": {}}), profile_of({"elicitation": {"url": {}}}), profile_of({})}) == 4
