"""Every operation of the OpenAPI document, asked by each kind of caller: allowed or refused as the table says.

What is expected is computed from `control/registry/actions.py` alone, by the action that the document names. Each
operation is asked of what is the caller's own, of what is their team's, and of what is others': objects that exist,
so that 404 is a refusal. A stale `If-Match` keeps changes from being made: it is looked at after the permission.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from control.admin.permissions import TABLE
from control.registry.actions import ACTIONS, Action, permissions_of, team_permissions_of
from control.store.pool import Pool
from tests.control.registry_api import JSON, Api, api
from tests.control.test_records_api import a_call, keep
from tests.fixtures_admin import AdminClient

__all__ = ["api"]
STALE = '"999999"'
REFUSED = {401, 403, 404}
OWN, TEAM, OTHERS, ANY = "own", "team", "others'", "whatever there is"
SCOPES: dict[str, tuple[str, ...]] = {
    "/users/{user_id}": (OWN, OTHERS),
    "/teams/{team_id}": (TEAM, OTHERS),
    "/roles/{role_id}/holders/{user_id}": (TEAM, OTHERS),
    "/roles/{role_id}/holders": (ANY,),
    "/roles/{role_id}": (OTHERS,),
    "/tokens/{token_id}": (OWN, TEAM, OTHERS),
    "/entries/{entry_id}": (TEAM, OTHERS),
    "/installations/{installation_id}": (OWN, TEAM, OTHERS),
    "/gateways/{gateway_id}": (OWN, OTHERS),
    "/records/{record_id}": (OWN, TEAM, OTHERS),
}
"""Whose the object of a path can be, by how the path begins. One without an object is asked for whatever it has."""
LAST = "/users/{user_id}/revoke-tokens"
"""After it the caller has no token."""


@dataclass(frozen=True, slots=True)
class World:
    """A caller, and identifiers of what is theirs, their team's and others'."""

    client: AdminClient
    role: str
    team_role: str
    ids: dict[str, dict[str, str]]

    def expects(self, action: Action, scope: str) -> bool:
        """What the table says."""
        held, in_team = ACTIONS[action], action in team_permissions_of(self.team_role)
        if action in permissions_of(self.role):
            return True
        if scope == ANY:
            return held.own or held.shown or in_team
        # What a team keeps for itself is shown to its members.
        return (scope == OWN and held.own) or (scope == TEAM and (in_team or (held.shown and bool(self.team_role))))


Body = Callable[[World, str], JSON]
NAME = {"name": "Another"}
BODIES: dict[str, dict[str, Body]] = {
    "POST /users": {OTHERS: lambda _, __: {"name": "New", "email": "new@example.com"}},
    "PATCH /users/{user_id}": {ANY: lambda _, __: NAME},
    "POST /teams": {OTHERS: lambda _, __: {"name": "Green"}},
    "PATCH /teams/{team_id}": {ANY: lambda _, __: NAME},
    "PUT /teams/{team_id}/members/{user_id}": {ANY: lambda _, __: {"role": "member"}},
    "POST /roles": {OTHERS: lambda _, __: NAME},
    "PATCH /roles/{role_id}": {ANY: lambda _, __: NAME},
    "PUT /roles/{role_id}/holders/{user_id}": {
        ANY: lambda world, scope: {"team_id": world.ids[TEAM]["team_id"] if scope == TEAM else None}
    },
    "POST /tokens": {OTHERS: lambda _, __: NAME},
    "POST /tokens/identify": {ANY: lambda _, __: {"token": "arch_no"}},
    "PATCH /tokens/{token_id}": {ANY: lambda _, __: NAME},
    "POST /entries": {
        TEAM: lambda world, _: {**an_entry("reds"), "team_id": world.ids[TEAM]["team_id"]},
        OTHERS: lambda _, __: an_entry("ours"),
    },
    "PATCH /entries/{entry_id}": {ANY: lambda _, __: NAME},
    "PATCH /entries/{entry_id}/tools/{tool_id}": {ANY: lambda _, __: {"state": "quarantined"}},
    "POST /installations": {
        OWN: lambda world, _: {"entry_id": world.ids[ANY]["entry_id"], "scope": "personal"},
        TEAM: lambda world, _: {
            "entry_id": world.ids[ANY]["entry_id"], "scope": "team", "team_id": world.ids[TEAM]["team_id"],
        },
        OTHERS: lambda world, _: {"entry_id": world.ids[ANY]["entry_id"], "scope": "organisation"},
    },
    "PATCH /installations/{installation_id}": {ANY: lambda _, __: NAME},
    "POST /gateways": {
        OWN: lambda _, __: {"slug": "mine-too", "name": "Mine", "visibility": "personal"},
        OTHERS: lambda _, __: {"slug": "for-all", "name": "For all"},
    },
    "PATCH /gateways/{gateway_id}": {ANY: lambda _, __: NAME},
    "POST /gateways/{gateway_id}/assignments": {
        ANY: lambda _, __: {"entry": "shared", "tools": ["*"]}
    },
    "PATCH /gateways/{gateway_id}/assignments/{assignment_id}": {ANY: lambda _, __: {"exposed_name": "another"}},
}  # fmt: skip
"""What is sent, by whose it is to be; ANY where that is the path's to say. Each would do as it is."""


def an_entry(slug: str) -> JSON:
    return {"slug": slug, "name": slug, "url": f"https://{slug}.example/mcp"}


async def operations(admin: AdminClient) -> list[tuple[str, str, JSON]]:
    """Method, path and description of each operation, in the order in which they can be asked."""
    paths = (await admin.get("/openapi.json")).json["paths"]
    found = [
        (method.upper(), path.removeprefix("/api/v1"), told)
        for path, methods in paths.items()
        for method, told in methods.items()
    ]
    return sorted(found, key=lambda one: (one[1] == LAST, one[0] == "DELETE"))


def scopes_of(method: str, path: str) -> Iterator[str]:
    """Whose things an operation can be asked of."""
    bodies = BODIES.get(f"{method} {path}", {ANY: lambda _, __: {}})
    if ANY not in bodies:
        yield from bodies
        return
    known = [scopes for begin, scopes in SCOPES.items() if path.startswith(begin)]
    yield from known[0] if known else (ANY,)


async def status_of(world: World, method: str, path: str, scope: str) -> int:
    where = path.format_map({**world.ids[ANY], **world.ids.get(scope, {})})
    bodies = BODIES.get(f"{method} {path}", {})
    body = bodies.get(scope, bodies.get(ANY))
    if method == "DELETE" and "/holders/" in path and scope == TEAM:
        where += f"?team_id={world.ids[TEAM]['team_id']}"
    match = STALE if method in {"PATCH", "PUT", "DELETE"} else None
    answer = await world.client.send(method, where, body and body(world, scope), match=match)
    return answer.status


async def tools_of(api: Api, entry: JSON) -> str:
    return str((await api.get(f"/entries/{entry['id']}/tools"))["items"][0]["id"])


async def assigned(api: Api, gateway: JSON, entry: JSON, as_: AdminClient | None = None) -> dict[str, str]:
    made: Any = await api.assign(gateway, entry, as_=as_)
    return {"gateway_id": gateway["id"], "assignment_id": made["items"][0]["id"]}


@pytest.fixture
async def build(api: Api, pool: Pool) -> Callable[[str, str], Any]:
    """Makes the world of a caller with this role, and this one in the team Red."""

    async def built(role: str, team_role: str) -> World:
        admin = api.admin
        red, blue = await api.team("Red"), await api.team("Blue")
        zoe = await api.user("Zoe", blue)
        max_ = await api.user("Max", red)
        client = admin if role == "admin" else await admin.as_new_user("Cal", role)
        if team_role:
            await admin.put(f"/teams/{red['id']}/members/{client.user['id']}", {"role": team_role})
        shared, fresh = await api.entry(slug="shared"), await api.entry(slug="fresh")
        ids: dict[str, dict[str, str]] = {
            ANY: {"entry_id": fresh["id"], "role_id": (await api.post("/roles", {"name": "Empty"}))["id"]},
            OWN: {"user_id": client.user["id"]},
            TEAM: {"team_id": red["id"], "user_id": max_.user["id"]},
            OTHERS: {"team_id": blue["id"], "user_id": zoe.user["id"]},
        }
        for scope, team, owner in ((TEAM, red, max_), (OTHERS, blue, zoe)):
            entry = await api.entry(slug=team["name"].lower(), team_id=team["id"])
            installed = await api.install(entry, scope="team", team_id=team["id"])
            of_team = {"kind": "team", "team_id": team["id"]} if scope == TEAM else {"user_id": owner.user["id"]}
            token = await api.post("/tokens", {"name": "t", **of_team})
            ids[scope] |= {"entry_id": entry["id"], "tool_id": await tools_of(api, entry)}
            ids[scope] |= {"installation_id": installed["id"], "token_id": token["id"]}
        hidden = await api.gateway(slug="hidden", visibility="teams", teams=[blue["id"]])
        ids[OTHERS] |= await assigned(api, hidden, {"slug": "blue"})
        mine = await api.gateway(as_=client, slug="mine", visibility="personal")
        installed = await api.install(shared, as_=client, scope="personal")
        ids[OWN] |= await assigned(api, mine, shared, client)
        ids[OWN] |= {"installation_id": installed["id"]}
        ids[OWN]["token_id"] = (await api.post("/tokens", {"name": "o", "user_id": client.user["id"]}))["id"]
        calls = {
            OWN: a_call(principal=f"user:{client.user['id']}"),
            TEAM: a_call(principal=f"team:{red['id']}"),
            OTHERS: a_call(principal=f"user:{zoe.user['id']}"),
        }
        await keep(pool, *calls.values())
        for scope, call in calls.items():
            ids[scope]["record_id"] = call.id
        return World(client, role, team_role, ids)

    return built


@pytest.mark.parametrize(
    ("role", "team_role"),
    [("member", ""), ("member", "member"), ("member", "editor"), ("member", "admin"), ("editor", ""), ("admin", "")],
    ids=["member of no team", "member", "team editor", "team admin", "editor", "admin"],
)
async def test_each_operation_is_allowed_or_refused_as_the_table_says(
    role: str, team_role: str, api: Api, build: Callable[[str, str], Any]
) -> None:
    world = await build(role, team_role)
    wrong = []
    for method, path, told in await operations(api.admin):
        for scope in scopes_of(method, path):
            expected = world.expects(told["x-permissions"][0], scope)
            status = await status_of(world, method, path, scope)
            if (status not in REFUSED) != expected or status >= 500:
                wrong.append(f"{method} {path}, {scope}: {status}, and the table says {expected}")
    assert not wrong, "\n".join(wrong)


async def test_nobody_without_a_token_is_let_in_anywhere(api: Api, build: Callable[[str, str], Any]) -> None:
    world = await build("member", "")
    stranger = World(api.admin.bearing(""), "", "", world.ids)
    for method, path, _ in await operations(api.admin):
        for scope in scopes_of(method, path):
            assert await status_of(stranger, method, path, scope) == 401, f"{method} {path}"


async def test_every_operation_that_takes_a_body_has_one_here(api: Api) -> None:
    taking = {f"{method} {path}" for method, path, told in await operations(api.admin) if "requestBody" in told}
    assert set(BODIES) == taking


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


PARTS: dict[str, Callable[[Api, AdminClient], Awaitable[bool]]] = {
    "GET /deployment": sees_all_numbers,
    "POST /users": lets_an_editor_in,
    "PATCH /users/{user_id}": makes_an_editor,
    "PUT /teams/{team_id}/members/{user_id}": makes_an_editor_of_a_team,
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
        held = sorted({*permissions_of("editor"), opens, *more} - {"token:create"})
        role = await api.post("/roles", {"name": name, "permissions": held})
        await api.call("PUT", f"/roles/{role['id']}/holders/{client.user['id']}", {}, expect=200, tag="*")
        assert await PARTS[key](api, client) == (bool(more) and part != "token:create"), name
    assert await PARTS[key](api, api.admin)
