"""Resources and prompts through the admin API: found with a server's tools, assigned by choice, in the snapshot."""

from __future__ import annotations

from typing import Any

import pytest

from control.changes import discoveries
from control.changes.write import changing
from control.discovery.discover import SERVER
from control.publish.compile import compile_gateway
from control.store.pool import transaction
from control.store.publication import gateway_contents
from core.probes import Probe
from core.snapshot import Gateway
from tests.control.registry_api import JSON, Api, api

__all__ = ["api"]

TOOL: JSON = {"name": "now", "description": "Tells it.", "inputSchema": {"type": "object"}}
CAN = ["completions", "prompts", "resources", "tools"]


@pytest.fixture
async def entry(api: Api) -> JSON:
    """A server with a tool, with prompts and with resources."""
    api.proxy.answer = Probe(era="modern", version="2026-07-28", tools=[TOOL], capabilities=CAN)
    made = await api.entry(slug="crm")
    await api.install(made)
    return made


@pytest.fixture
async def gateway(api: Api) -> JSON:
    return await api.gateway()


async def compiled(api: Api, gateway: JSON) -> Gateway:
    async with transaction(api.pool, readonly=True) as connection:
        contents = await gateway_contents(connection, gateway["id"])
    assert contents is not None
    return compile_gateway(contents)


def named(found: Any) -> list[tuple[str, str]]:
    return sorted((one["kind"], one["name"]) for one in found["items"])


async def test_an_entry_keeps_that_its_server_has_them(api: Api, entry: JSON) -> None:
    assert named(await api.get(f"/entries/{entry['id']}/tools")) == [
        ("prompts", "all_prompts"),
        ("resources", "all_resources"),
        ("tool", "now"),
    ]
    (installation,) = (await api.get("/installations"))["items"]
    assert installation["server"]["tools"] == 1


async def test_all_tools_are_not_all_that_there_is(api: Api, entry: JSON, gateway: JSON) -> None:
    assigned = await api.assign(gateway, entry)
    assert [one["tool_name"] for one in assigned["items"]] == ["now"]
    assert (await compiled(api, gateway)).offers == []


async def test_what_is_assigned_by_name_is_an_offer_and_no_tool(api: Api, entry: JSON, gateway: JSON) -> None:
    await api.assign(gateway, entry, tools=["all_resources", "all_prompts"])
    snapshot = await compiled(api, gateway)
    assert snapshot.tools == []
    assert [(one.kind, one.name, one.exposed) for one in snapshot.offers] == [
        ("resources", "crm", "crm__all_resources"),
        ("prompts", "crm", "crm__all_prompts"),
    ]
    assert all(one.route.installation_id is None for one in snapshot.offers)


@pytest.mark.parametrize(
    ("tools", "words"),
    [
        (["all_prompts"], "by the prompts on the gateway 'desk'."),
        (
            ["now", "all_prompts", "all_resources"],
            "by 1 tool and the prompts and the resources on the gateway 'desk'.",
        ),
    ],
)
async def test_what_still_shows_an_offer_says_so_where_its_installation_would_go(
    api: Api, entry: JSON, gateway: JSON, tools: list[str], words: str
) -> None:
    pin = (await api.get("/installations"))["items"][0]["id"]
    await api.assign(gateway, entry, tools=tools, installation=pin)
    assert words in (await api.delete(f"/installations/{pin}", expect=409))["detail"]


async def test_the_snapshot_says_how_often_the_server_said_that_they_changed(
    api: Api, entry: JSON, gateway: JSON
) -> None:
    await api.assign(gateway, entry, tools=["all_resources", "all_prompts"])
    other = await api.gateway(slug="tools", name="Tools")
    await api.assign(other, entry)
    await api.events()
    async with changing(api.pool, SERVER) as write:
        await discoveries.lists_changed(write, entry["id"], ["prompts"])
    assert [(one.kind, one.revision) for one in (await compiled(api, gateway)).offers] == [
        ("resources", 0),
        ("prompts", 1),
    ]
    assert await api.events() == [("gateway", gateway["id"])]


async def test_one_server_that_is_there_twice_is_told_apart_by_its_assignments(
    api: Api, entry: JSON, gateway: JSON
) -> None:
    pin = (await api.get("/installations"))["items"][0]["id"]
    await api.assign(gateway, entry, tools=["all_prompts"])
    await api.assign(gateway, entry, tools=["all_prompts"], installation=pin, exposed_name="crm-test")
    offers = (await compiled(api, gateway)).offers
    assert [(one.name, one.route.installation_id) for one in offers] == [
        ("crm-test", pin),
        ("crm__all_prompts", None),
    ]


async def test_what_is_in_quarantine_is_not_offered(api: Api, entry: JSON, gateway: JSON) -> None:
    await api.assign(gateway, entry, tools=["all_prompts"])
    found = await api.get(f"/entries/{entry['id']}/tools")
    (prompts,) = [one for one in found["items"] if one["kind"] == "prompts"]
    await api.patch(f"/entries/{entry['id']}/tools/{prompts['id']}", {"state": "quarantined"})
    assert (await compiled(api, gateway)).offers == []


async def test_a_server_that_has_them_no_more_is_found_out_and_the_assignment_stays(
    api: Api, entry: JSON, gateway: JSON
) -> None:
    await api.assign(gateway, entry, tools=["all_prompts"])
    api.proxy.answer = Probe(era="modern", version="2026-07-28", tools=[TOOL], capabilities=["tools"])
    (installation,) = (await api.get("/installations"))["items"]
    await api.post(f"/installations/{installation['id']}/discover", expect=200)
    found = await api.get(f"/entries/{entry['id']}/tools")
    assert {one["name"] for one in found["items"] if one["missing_since"]} == {"all_prompts", "all_resources"}
    assert [one.name for one in (await compiled(api, gateway)).offers] == ["crm"]


async def test_a_gateway_says_what_servers_may_ask_and_how_its_tools_are_listed(api: Api) -> None:
    made = await api.gateway(slug="usual")
    assert (made["may_ask"], made["tool_loading"]) == (["elicitation"], "all")
    changed = await api.patch(
        f"/gateways/{made['id']}", {"may_ask": ["roots", "elicitation", "roots"], "tool_loading": "search_and_run"}
    )
    assert (changed["may_ask"], changed["tool_loading"]) == (["elicitation", "roots"], "search_and_run")
    snapshot = await compiled(api, made)
    assert (snapshot.may_ask, snapshot.tool_loading) == (["elicitation", "roots"], "search_and_run")
    assert (await api.patch(f"/gateways/{made['id']}", {"may_ask": []}))["may_ask"] == []


@pytest.mark.parametrize("wrong", [{"may_ask": ["everything"]}, {"may_ask": "roots"}, {"tool_loading": "some"}])
async def test_other_words_are_refused(api: Api, wrong: JSON) -> None:
    made = await api.gateway(slug="usual")
    told = await api.patch(f"/gateways/{made['id']}", wrong, expect=422)
    assert next(iter(wrong)) in str(told)
