from __future__ import annotations

from typing import Any

import orjson
import pytest

from core.snapshot import Offer, Route
from proxy.offered.names import Found, shown
from proxy.offered.shown_uris import MOST_BY_TEMPLATE, ShownUris, holds_uris


def offer(name: str) -> Offer:
    return Offer(name, "resources", f"a-{name}", f"{name}__all", Route("remote", f"e-{name}", name))


CRM, WIKI = OFFERS = offer("crm"), offer("wiki")


def found(one: Offer, member: str, *own: str) -> Found:
    return Found(one, tuple({member: name} for name in own))


def uris(asked: dict[str, str] | None = None) -> ShownUris:
    """Those of the first of two servers."""
    listed = [found(CRM, "uri", "file:///x", "a://1", "wiki+a://2"), found(WIKI, "uri", "file:///x", "b://1")]
    templates = [
        found(CRM, "uriTemplate", "a://{id}", "n://{id}"),
        found(WIKI, "uriTemplate", "b://{id}", "n://{id}"),
    ]
    return ShownUris(CRM, shown(listed, "uri", OFFERS), shown(templates, "uriTemplate", OFFERS), OFFERS, asked or {})


@pytest.mark.parametrize(
    ("own", "told"),
    [
        ("a://1", "a://1"),
        ("file:///x", "crm+file:///x"),
        ("wiki+a://2", "crm+wiki+a://2"),
        ("a://7", "a://7"),
        ("n://7", "crm+n://7"),
        ("b://1", "crm+b://1"),
        ("b://7", "crm+b://7"),
        ("nobody://7", "crm+nobody://7"),
        ("ui://app", "ui://crm+app"),
        ("https://nobody.example/", "https://nobody.example/"),
    ],
)
def test_a_uri_stays_where_it_leads_back_to_its_server(own: str, told: str) -> None:
    assert uris().of(own) == told


def test_what_was_asked_for_comes_back_as_it_was_asked() -> None:
    assert uris({"a://1": "crm+a://1"}).of("a://1") == "crm+a://1"


def test_where_no_name_is_needed_only_what_is_known_otherwise_is_shown_so() -> None:
    one = ShownUris(None, (), (), (), {"ui://app": "ui://t+app"})
    assert [one.of(own) for own in ("ui://app", "file:///x")] == ["ui://t+app", "file:///x"]


def test_so_many_are_compared_with_templates_and_no_more() -> None:
    one = uris()
    for number in range(MOST_BY_TEMPLATE):
        assert one.of(f"a://{number}-of-a-template") == f"a://{number}-of-a-template"
    assert one.of("a://further") == "crm+a://further"
    assert one.of("a://1") == "a://1"


LINK = {"type": "resource_link", "uri": "file:///x", "name": "n"}
EMBEDDED = {"type": "resource", "resource": {"uri": "file:///x", "text": "t"}}
TEXT = {"type": "text", "text": "file:///x", "uri": "file:///x"}


def test_all_places_of_a_result_are_shown_and_the_servers_result_is_left() -> None:
    result: dict[str, Any] = {
        "content": [LINK, EMBEDDED, TEXT, 3, {"type": "resource"}, {"type": "resource_link", "uri": 3}],
        "contents": [{"uri": "file:///x"}],
        "messages": [{"role": "user", "content": EMBEDDED}, {"role": "user"}, None],
        "structuredContent": {"uri": "file:///x"},
    }
    before = orjson.dumps(result)
    told = uris().shown_in(result)
    assert orjson.dumps(result) == before
    link, embedded, *rest = told["content"]  # type: ignore[misc]  # it is a list
    assert (link["uri"], embedded["resource"]["uri"]) == ("crm+file:///x", "crm+file:///x")
    assert rest == [TEXT, 3, {"type": "resource"}, {"type": "resource_link", "uri": 3}]
    assert told["contents"] == [{"uri": "crm+file:///x"}]
    assert told["messages"][0]["content"]["resource"]["uri"] == "crm+file:///x"  # type: ignore[index]
    assert told["structuredContent"] == {"uri": "file:///x"}


def test_the_result_of_a_task_is_shown_too() -> None:
    told = uris().shown_in({"taskId": "t", "result": {"content": [LINK]}})
    assert told == {"taskId": "t", "result": {"content": [{**LINK, "uri": "crm+file:///x"}]}}


def test_parts_that_were_not_taken_apart_are_shown_too() -> None:
    long = {"type": "resource", "resource": {"uri": "file:///x", "text": "y" * (2 << 20), "blob": None}}
    told = uris().shown_in({"content": orjson.Fragment(orjson.dumps([LINK, long]))})
    link, embedded = orjson.loads(orjson.dumps(told))["content"]
    assert (link["uri"], embedded["resource"]["uri"]) == ("crm+file:///x", "crm+file:///x")
    assert embedded["resource"]["text"] == "y" * (2 << 20)


@pytest.mark.parametrize(
    ("result", "holds"),
    [
        ({"content": [TEXT]}, False),
        ({"content": [TEXT, LINK]}, True),
        ({"content": [EMBEDDED]}, True),
        ({"contents": []}, True),
        ({"content": orjson.Fragment(b"[]")}, True),
        ({"messages": [{"role": "user", "content": EMBEDDED}]}, True),
        ({"messages": [{"role": "user", "content": TEXT}, 3]}, False),
        ({"content": 3, "messages": 3}, False),
        ({"taskId": "t", "status": "completed", "result": {"content": [LINK]}}, True),
        ({"taskId": "t", "status": "completed", "result": {"content": [TEXT]}}, False),
        ({}, False),
    ],
)
def test_whether_a_result_may_hold_uris(result: dict[str, Any], holds: bool) -> None:
    assert holds_uris(result) is holds
