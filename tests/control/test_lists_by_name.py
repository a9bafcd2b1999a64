"""Lists are in the order of names, on every page of them, whatever comes and goes meanwhile."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.control.registry_api import Api, api

__all__ = ["api"]

NAMES = ["delta", "Alpha", "charlie", "Bravo", "bravo 2", "Émile", "echo"]
IN_ORDER = ["Alpha", "Bravo", "bravo 2", "charlie", "delta", "echo", "Émile"]


async def paged(api: Api, path: str, limit: int = 2) -> list[dict[str, Any]]:
    found, cursor, pages = [], "", 0
    while True:
        page = await api.get(f"{path}?limit={limit}" + (f"&cursor={cursor}" if cursor else ""))
        found += page["items"]
        cursor, pages = page["next"], pages + 1
        if not cursor:
            assert pages >= len(found) / limit
            return found


async def entries(api: Api) -> str:
    for number, name in enumerate(NAMES):
        await api.entry(slug=f"e{number}", name=name)
    return "/entries"


async def gateways(api: Api) -> str:
    for number, name in enumerate(NAMES):
        await api.gateway(slug=f"g{number}", name=name)
    return "/gateways"


async def teams(api: Api) -> str:
    for name in NAMES:
        await api.team(name)
    return "/teams"


async def tokens(api: Api) -> str:
    for name in NAMES:
        await api.post("/tokens", {"name": name})
    return "/tokens"


async def installations(api: Api) -> str:
    entry = await api.entry()
    for name in NAMES:
        await api.install(entry, name=name)
    return "/installations"


async def members(api: Api) -> str:
    team = await api.team("Blue")
    for number, name in enumerate(NAMES):
        user = await api.post("/users", {"name": name, "email": f"u{number}@example.com"})
        await api.call("PUT", f"/teams/{team['id']}/members/{user['id']}", {"role": "member"}, expect=200, tag="*")
    return f"/teams/{team['id']}/members"


async def roles(api: Api) -> str:
    for name in NAMES:
        await api.post("/roles", {"name": name})
    return "/roles"


async def holders(api: Api) -> str:
    role = await api.post("/roles", {"name": "Reader"})
    for number, name in enumerate(NAMES):
        user = await api.post("/users", {"name": name, "email": f"u{number}@example.com"})
        await api.call("PUT", f"/roles/{role['id']}/holders/{user['id']}", {}, expect=200, tag="*")
    return f"/roles/{role['id']}/holders"


@pytest.mark.parametrize(
    "make",
    [entries, gateways, teams, tokens, installations, members, roles, holders],
    ids=lambda one: one.__name__,
)
async def test_a_list_is_in_the_order_of_names_and_pages_cut_it_nowhere_else(
    api: Api, make: Callable[[Api], Any]
) -> None:
    path = await make(api)
    found = await paged(api, path)
    assert [one["name"] for one in found if one["name"] in NAMES] == IN_ORDER
    assert len({one.get("id") or one["user_id"] for one in found}) == len(found)
    assert found == (await api.get(f"{path}?limit=100"))["items"]


async def test_users_are_in_the_order_of_names(api: Api) -> None:
    await members(api)
    found = [one["name"] for one in await paged(api, "/users")]
    assert [name for name in found if name in NAMES] == IN_ORDER


async def test_tools_of_an_entry_and_of_a_gateway_are_in_the_order_of_names(api: Api) -> None:
    api.proxy.offers("zulu", "Kilo", "alpha", "mike", "alpha2")
    entry = await api.entry()
    await api.install(entry)
    gateway = await api.gateway()
    await api.assign(gateway, entry)
    expected = ["alpha", "alpha2", "Kilo", "mike", "zulu"]
    assert [one["name"] for one in await paged(api, f"/entries/{entry['id']}/tools")] == expected
    shown = await paged(api, f"/gateways/{gateway['id']}/assignments")
    assert [one["exposed_name"] for one in shown] == [f"time__{name}" for name in expected]


async def test_objects_of_one_name_each_come_once(api: Api) -> None:
    for number in range(5):
        await api.entry(slug=f"e{number}", name="Same")
    found = [one["slug"] for one in await paged(api, "/entries")]
    assert sorted(found) == ["e0", "e1", "e2", "e3", "e4"]


async def test_what_comes_and_goes_between_two_pages_shifts_nothing(api: Api) -> None:
    for number, name in enumerate(["b", "d", "f", "h"]):
        await api.entry(slug=f"e{number}", name=name)
    first = await api.get("/entries?limit=2")
    await api.entry(slug="before", name="a")
    await api.entry(slug="after", name="e")
    await api.delete(f"/entries/{first['items'][1]['id']}")
    rest = await api.get(f"/entries?limit=9&cursor={first['next']}")
    assert [one["name"] for one in rest["items"]] == ["e", "f", "h"]


async def test_the_longest_names_have_cursors_too(api: Api) -> None:
    for number in range(3):
        await api.entry(slug=f"e{number}", name="\U0001f600" * 127 + str(number))
    assert [one["slug"] for one in await paged(api, "/entries", 1)] == ["e0", "e1", "e2"]
