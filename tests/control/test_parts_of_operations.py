"""Parts of operations that need an action of their own, beside the one that opens the route (`permissions.TABLE`)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest

from control.admin.permissions import TABLE
from control.registry.actions import permissions_of
from tests.control.registry_api import Api, api
from tests.control.test_every_operation import RESERVED, give
from tests.fixtures_admin import AdminClient

__all__ = ["api"]


async def sees_all_numbers(api: Api, client: AdminClient) -> bool:
    asked = [(await one.get("/deployment")).json["counts"] for one in (client, api.admin)]
    return bool(asked[0] == asked[1])


async def lets_an_editor_in(_: Api, client: AdminClient) -> bool:
    body = {"name": "New", "email": f"by.{client.user['id']}@example.com", "role": "editor"}
    return (await client.post("/users", body)).status == 201


async def makes_an_editor(api: Api, client: AdminClient) -> bool:
    found = await api.post("/users", {"name": "New", "email": f"by.{client.user['id']}@example.com"})
    answer = await client.send("PATCH", f"/users/{found['id']}", {"role": "editor"}, match="*")
    return answer.status == 200


async def makes_an_editor_of_a_team(api: Api, client: AdminClient) -> bool:
    team, new = await api.team(f"Of {client.user['id']}"), await api.admin.as_new_user(f"New {client.user['id']}")
    path = f"/teams/{team['id']}/members/{new.user['id']}"
    return (await client.put(path, {"role": "editor"})).status == 200


async def puts_off_an_end(api: Api, client: AdminClient) -> bool:
    body = {"name": "t", "user_id": client.user["id"], "expires_at": "2100-01-01T00:00:00Z"}
    path = f"/tokens/{(await api.post('/tokens', body))['id']}"
    return (await client.send("PATCH", path, {"expires_at": None}, match="*")).status == 200


async def installs_for_everybody(api: Api, client: AdminClient) -> bool:
    body = {
        "entry_id": (await api.entry(slug=f"e{client.user['id'][-8:]}"))["id"],
        "scope": "organisation",
        "name": f"Of {client.user['id']}",
    }
    return (await client.post("/installations", body)).status == 201


PARTS: dict[str, Callable[[Api, AdminClient], Awaitable[bool]]] = {
    "GET /deployment": sees_all_numbers,
    "POST /users": lets_an_editor_in,
    "PATCH /users/{user_id}": makes_an_editor,
    "PUT /teams/{team_id}/members/{user_id}": makes_an_editor_of_a_team,
    "POST /installations": installs_for_everybody,
    "PATCH /tokens/{token_id}": puts_off_an_end,
}
"""That part of an operation which needs an action of its own: whether somebody may do it."""


def test_every_operation_of_which_a_part_needs_more_is_asked_for_it() -> None:
    assert set(PARTS) == {key for key, needed in TABLE.items() if len(needed) > 1}


@pytest.mark.parametrize("key", PARTS)
async def test_a_part_of_an_operation_needs_its_own_action_beside_the_one_that_opens_it(api: Api, key: str) -> None:
    opens, part = TABLE[key]
    for name, more in (("Without", ()), ("With", (part,))):
        client = await api.admin.as_new_user(name)
        # What an editor holds, so that nothing is refused for being more than the giver holds.
        held = (permissions_of("editor") - {part}).union((opens, *more)) - RESERVED
        await give(api, client, name, held, None)
        assert await PARTS[key](api, client) == (bool(more) and part not in RESERVED), name
    assert await PARTS[key](api, api.admin)
