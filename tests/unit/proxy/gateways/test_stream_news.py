from __future__ import annotations

import orjson

from core.snapshot import Offer, Route
from proxy.gateways.compiled import CompiledGateway
from proxy.gateways.stream_news import METHODS, Subscription, news_of
from tests.fakes.call_parts import gateway, tool

TOOL = tool("t")
PROMPTS = Offer("crm", "prompts", "a", "crm__all_prompts", Route("remote", "e", "crm"))
RESOURCES = Offer("crm", "resources", "b", "crm__all_resources", Route("remote", "e", "crm"))


def held(*offers: Offer, tools: bool = True, **fields: object) -> CompiledGateway:
    return CompiledGateway(gateway([TOOL] if tools else [], offers=list(offers), **fields))


def told(before: CompiledGateway, after: CompiledGateway, subscription: Subscription | None = None) -> list[str]:
    return [orjson.loads(one)["method"] for one in news_of(before, after, subscription)]


def test_each_list_that_differs_is_news() -> None:
    assert told(held(), held(tools=False)) == ["notifications/tools/list_changed"]
    assert told(held(), held(PROMPTS)) == ["notifications/prompts/list_changed"]
    assert told(held(RESOURCES), held()) == ["notifications/resources/list_changed"]
    assert told(held(), held(PROMPTS, RESOURCES, tools=False)) == list(METHODS.values())


def test_another_name_of_the_gateway_is_none() -> None:
    assert told(held(), held(description="another", slug="h")) == []


def test_a_modern_caller_hears_what_it_wants_under_its_own_id() -> None:
    wanted = Subscription(7, frozenset({"promptsListChanged"}))
    (news,) = news_of(held(), held(PROMPTS, tools=False), wanted)
    assert orjson.loads(news) == {
        "jsonrpc": "2.0",
        "method": "notifications/prompts/list_changed",
        "params": {"_meta": {"io.modelcontextprotocol/subscriptionId": 7}},
    }


def test_the_first_and_the_last_message_name_the_subscription() -> None:
    one = Subscription("x", frozenset({"toolsListChanged"}))
    assert orjson.loads(one.acknowledged)["params"]["notifications"] == {"toolsListChanged": True}
    assert orjson.loads(one.last)["id"] == "x"
