"""Every operation of the OpenAPI document, asked by each kind of caller: allowed or refused as the table says.

What is expected is computed from `control/registry/actions.py` alone, by the action that the document names. Each
operation is asked of what is the caller's own, of what is their team's, and of what is others': objects that exist,
so that 404 is a refusal. A stale `If-Match` keeps changes from being made: it is looked at after the permission.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import pytest

from control.changes import external_principals, identities, oauth_grants
from control.changes.oauth_grants import NewGrant
from control.changes.write import changing
from control.registry.access import Caller
from control.registry.actions import ACTIONS, Action, Role, permissions_of, team_permissions_of
from control.sign_in.session import begin
from control.store import identity_providers
from control.store.pool import Pool, transaction
from core.identifiers import new_id
from core.tokens import digest
from tests.control import seeded
from tests.control.registry_api import JSON, Api, api
from tests.control.test_records_api import a_call, keep
from tests.fakes.providers import a_person
from tests.fixtures_admin import AdminClient

__all__ = ["api"]
STALE = '"999999"'
REFUSED = {401, 403, 404}
OWN, TEAM, OTHERS, ANY = "own", "team", "others'", "whatever there is"
SCOPES: dict[str, tuple[str, ...]] = {
    "/users/{user_id}": (OTHERS, OWN),
    "/teams/{team_id}": (TEAM, OTHERS),
    "/roles/{role_id}/holders/{user_id}": (TEAM, OTHERS),
    "/roles/{role_id}/holders": (ANY,),
    "/roles/{role_id}": (OTHERS,),
    "/tokens/{token_id}": (OWN, TEAM, OTHERS),
    "/oauth-clients/{oauth_client_id}": (OTHERS,),
    "/grants/{grant_id}": (OWN, OTHERS),
    "/entries/{entry_id}": (TEAM, OTHERS),
    "/installations/{installation_id}": (OWN, TEAM, OTHERS),
    "/pull-secrets/{pull_secret_id}": (TEAM, OTHERS),
    "/environments/{environment_id}": (OTHERS,),
    "/egress-presets/{egress_preset_id}": (OTHERS,),
    "/gateways/{gateway_id}": (OWN, OTHERS),
    "/records/{record_id}": (OWN, TEAM, OTHERS),
    "/sessions/{session_id}": (OWN, OTHERS),
    "/revocations/tokens/": (OWN, TEAM, OTHERS),
    "/revocations/clients/": (OTHERS,),
    "/revocations/grants/": (OWN, OTHERS),
    "/revocations/sessions/": (OWN, OTHERS),
    "/revocations/client-sessions/": (OTHERS,),
    "/revocations/users/": (OTHERS, OWN),
}
"""Whose the object of a path can be, by how the path begins. One without an object is asked for whatever it has."""
OF_OTHERS = {"POST /installations"}
"""Where the second action of a row is for what is not the caller's alone."""
LAST = "/users/{user_id}/revoke-tokens"
"""After it the caller has no token."""
SHUTS_OUT = {("/users/{user_id}/disable", OWN), ("/revocations/users/{user_id}", OWN)}
"""Whoever may do this is not let in again, to be asked about the rest."""
OF_EACH = dict(zip(ACTIONS, combinations(range(9), 4), strict=False))
SETS = [frozenset(action for action in ACTIONS if number in OF_EACH[action]) for number in range(9)]
"""For any two permissions there is a set with the first and without the second, so that none stands for another."""
RESERVED = frozenset(action for action, held in ACTIONS.items() if held.reserved)
SEEN_IN_TEAMS = frozenset({"team:read", "member:read", "installation:read", "pull_secret:read"})
"""What everybody holds for a team of theirs; who lacks it changes nobody who is in one."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of caller: their role here and in the team Red, and what they were given beside these."""

    name: str
    role: Role = "member"
    team_role: Role | None = None
    given: frozenset[Action] = frozenset()
    """For the organisation."""
    given_for_team: frozenset[Action] = frozenset()

    @property
    def held(self) -> frozenset[Action]:
        """For the organisation."""
        return permissions_of(self.role) | self.given

    @property
    def held_for_team(self) -> frozenset[Action]:
        """For the team Red."""
        return team_permissions_of(self.team_role or "") | self.given_for_team


KINDS = (
    Kind("member of no team"),
    Kind("member", team_role="member"),
    Kind("team editor", team_role="editor"),
    Kind("team admin", team_role="admin"),
    Kind("editor", "editor"),
    Kind("admin", "admin"),
    *(Kind("given a set", given=(held | SEEN_IN_TEAMS) - RESERVED) for held in SETS),
    *(
        Kind("given a set for the team", team_role="member", given_for_team=held & team_permissions_of("admin"))
        for held in SETS[:2]
    ),
)


@dataclass(frozen=True, slots=True)
class World:
    """A caller, and identifiers of what is theirs, their team's and others'."""

    client: AdminClient
    kind: Kind
    ids: dict[str, dict[str, str]]
    pool: Pool

    def expects(self, action: Action, scope: str) -> bool:
        """What the table says."""
        held, in_team = ACTIONS[action], action in self.kind.held_for_team
        if action in self.kind.held:
            return True
        if scope == ANY:
            return held.own or held.shown or in_team
        # What a team keeps for itself is shown to its members.
        in_team = in_team or (held.shown and self.kind.team_role is not None)
        return (scope == OWN and held.own) or (scope == TEAM and in_team)


Body = Callable[[World, str], JSON]
NAME = {"name": "Another"}
BODIES: dict[str, dict[str, Body]] = {
    "POST /users": {OTHERS: lambda _, __: {"name": "New", "email": "new@example.com"}},
    "PATCH /users/{user_id}": {ANY: lambda _, __: NAME},
    "POST /users/{user_id}/links": {ANY: lambda _, __: {"purpose": "reset"}},
    "POST /teams": {OTHERS: lambda _, __: {"name": "Green"}},
    "PATCH /teams/{team_id}": {ANY: lambda _, __: NAME},
    "PUT /teams/{team_id}/members/{user_id}": {ANY: lambda _, __: {"role": "member"}},
    "POST /roles": {OTHERS: lambda _, __: NAME},
    "PATCH /roles/{role_id}": {ANY: lambda _, __: NAME},
    "PUT /roles/{role_id}/holders/{user_id}": {
        ANY: lambda world, scope: {"team_id": world.ids[TEAM]["team_id"] if scope == TEAM else None}
    },
    "POST /tokens": {OTHERS: lambda _, __: NAME},
    "POST /catalog/read": {ANY: lambda _, __: {"config": {"mcpServers": {"a": {"url": "https://a.example/mcp"}}}}},
    "POST /tokens/identify": {ANY: lambda _, __: {"token": "arch_no"}},
    "PATCH /tokens/{token_id}": {ANY: lambda _, __: NAME},
    "POST /oauth-clients": {OTHERS: lambda _, __: {"name": "New", "redirect_uris": ["https://new.example/cb"]}},
    "PATCH /oauth-clients/{oauth_client_id}": {ANY: lambda _, __: NAME},
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
    "POST /pull-secrets": {
        TEAM: lambda world, _: {**a_pull_secret("reds"), "team_id": world.ids[TEAM]["team_id"]},
        OTHERS: lambda _, __: a_pull_secret("ours"),
    },
    "PATCH /pull-secrets/{pull_secret_id}": {ANY: lambda _, __: NAME},
    "POST /entries/{entry_id}/override/preview": {ANY: lambda _, __: {"override": ""}},
    "POST /environments": {OTHERS: lambda _, __: {"name": "Ours"}},
    "PATCH /environments/{environment_id}": {ANY: lambda _, __: NAME},
    "POST /egress-presets": {OTHERS: lambda _, __: {"name": "Theirs", "domains": ["b.example.com"]}},
    "PATCH /egress-presets/{egress_preset_id}": {ANY: lambda _, __: NAME},
    "PUT /installations/{installation_id}/account": {ANY: lambda _, __: {"access_token": "x"}},
    "POST /gateways": {
        OWN: lambda _, __: {"slug": "mine-too", "name": "Mine", "visibility": "personal"},
        OTHERS: lambda _, __: {"slug": "for-all", "name": "For all"},
    },
    "PATCH /gateways/{gateway_id}": {ANY: lambda _, __: NAME},
    "POST /gateways/{gateway_id}/explain": {ANY: lambda _, __: {"tool": "t"}},
    "POST /gateways/{gateway_id}/assignments": {
        ANY: lambda _, __: {"entry": "shared", "tools": ["*"]}
    },
    "PATCH /gateways/{gateway_id}/assignments/{assignment_id}": {ANY: lambda _, __: {"exposed_name": "another"}},
    "POST /identity-providers": {OTHERS: lambda _, __: a_provider("new")},
    "PATCH /identity-providers/{provider_id}": {ANY: lambda _, __: NAME},
}  # fmt: skip
"""What is sent, by whose it is to be; ANY where that is the path's to say. Each would do as it is."""


def an_entry(slug: str) -> JSON:
    return {"slug": slug, "name": slug, "url": f"https://{slug}.example/mcp"}


def a_pull_secret(name: str) -> JSON:
    return {"name": name, "registry": "registry.example", "username": "robot", "password": "p"}


def a_provider(slug: str) -> JSON:
    """One that is switched off, so that nothing is asked."""
    return {"slug": slug, "name": slug, "issuer": f"https://{slug}.example", "sign_in": False, "enabled": False}


async def known_at(pool: Pool, provider_id: str, user_id: str) -> str:
    """The identity of a user whom the provider knows."""
    async with changing(pool, seeded.SEEDER) as write:
        provider = await identity_providers.one(write.connection, provider_id)
        assert provider is not None
        return (await identities.link(write, provider, a_person(), user_id)).id


async def without_account(pool: Pool, provider_id: str) -> str:
    """Somebody whom the provider knows and who has no account."""
    async with changing(pool, seeded.SEEDER) as write:
        provider = await identity_providers.one(write.connection, provider_id)
        assert provider is not None
        found = await external_principals.seen(write, provider, a_person(subject="yan"))
        assert found is not None
        return found.id


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
    ids = {**world.ids[ANY], **world.ids.get(scope, {})}
    if "{session_id}" in path:  # what came before may have ended the person's
        async with transaction(world.pool) as connection:
            _, session = await begin(connection, ids["user_id"], method="link", address="", agent="")
        ids["session_id"] = session.id
    where = path.format_map(ids)
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


async def give(api: Api, client: AdminClient, name: str, permissions: frozenset[Action], team: JSON | None) -> None:
    """A role of these permissions, for a team or for the organisation."""
    role = await api.post("/roles", {"name": name, "permissions": sorted(permissions)})
    path = f"/roles/{role['id']}/holders/{client.user['id']}"
    await api.call("PUT", path, {"team_id": team and team["id"]}, expect=200, tag="*")


async def a_grant(pool: Pool, client_pk: str, whose: dict[str, str]) -> str:
    """What this person allowed the client at their gateway."""
    wanted = NewGrant(client_pk=client_pk, user_id=whose["user_id"], gateway_id=whose["gateway_id"], scopes=("mcp",))
    async with changing(pool, Caller(whose["user_id"], "Somebody", "member")) as write:
        made = await oauth_grants.allow(
            write, wanted, digest(new_id()), redirect_uri="https://c.example/cb", challenge="c" * 43
        )
    return made.id


@pytest.fixture
async def build(api: Api, pool: Pool) -> Callable[[Kind], Any]:
    """Makes the world of a caller of this kind."""

    async def built(kind: Kind) -> World:
        admin = api.admin
        red, blue = await api.team("Red"), await api.team("Blue")
        zoe = await api.user("Zoe", blue)
        max_ = await api.user("Max", red)
        client = admin if kind.role == "admin" else await admin.as_new_user("Cal", kind.role)
        if kind.team_role is not None:
            await admin.put(f"/teams/{red['id']}/members/{client.user['id']}", {"role": kind.team_role})
        for name, given, team in (("For all", kind.given, None), ("For Red", kind.given_for_team, red)):
            if given:
                await give(api, client, name, given, team)
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
            pull_secret = await api.post("/pull-secrets", {**a_pull_secret(team["name"]), "team_id": team["id"]})
            ids[scope] |= {"pull_secret_id": pull_secret["id"]}
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
        for scope in (OWN, OTHERS):
            link = await api.post(f"/users/{ids[scope]['user_id']}/links", {"purpose": "reset"})
            ids[scope]["link_id"] = link["id"]
        for scope, call in calls.items():
            ids[scope]["record_id"] = call.id
        provider = await api.post("/identity-providers", a_provider("corp"))
        ids[ANY] |= {
            "provider_id": provider["id"],
            "identity_id": await known_at(pool, provider["id"], zoe.user["id"]),
            "external_principal_id": await without_account(pool, provider["id"]),
        }
        oauth_client = await api.post("/oauth-clients", {"name": "C", "redirect_uris": ["https://c.example/cb"]})
        ids[ANY] |= {"environment_id": (await api.post("/environments", {"name": "Production"}))["id"]}
        preset = await api.post("/egress-presets", {"name": "Ours", "domains": ["a.example.com"]})
        ids[ANY] |= {"egress_preset_id": preset["id"]}
        ids[ANY] |= {"oauth_client_id": oauth_client["id"], "client_session": "ab" * 16}
        for scope in (OWN, OTHERS):
            ids[scope]["grant_id"] = await a_grant(pool, oauth_client["id"], ids[scope])
        return World(client, kind, ids, pool)

    return built


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
async def test_each_operation_is_allowed_or_refused_as_the_table_says(
    kind: Kind, api: Api, build: Callable[[Kind], Any]
) -> None:
    world = await build(kind)
    wrong = []
    for method, path, told in await operations(api.admin):
        for scope in scopes_of(method, path):
            part = scope != OWN and f"{method} {path}" in OF_OTHERS
            expected = world.expects(told["x-permissions"][part], scope)
            if expected and (path, scope) in SHUTS_OUT:
                continue
            status = await status_of(world, method, path, scope)
            if (status not in REFUSED) != expected or status >= 500:
                wrong.append(f"{method} {path}, {scope}: {status}, and the table says {expected}")
    assert not wrong, "\n".join(wrong)


async def test_nobody_without_a_token_is_let_in_anywhere(api: Api, build: Callable[[Kind], Any]) -> None:
    world = await build(KINDS[0])
    stranger = World(api.admin.bearing(""), world.kind, world.ids, world.pool)
    for method, path, _ in await operations(api.admin):
        for scope in scopes_of(method, path):
            assert await status_of(stranger, method, path, scope) == 401, f"{method} {path}"


async def test_every_operation_that_takes_a_body_has_one_here(api: Api) -> None:
    taking = {f"{method} {path}" for method, path, told in await operations(api.admin) if "requestBody" in told}
    assert set(BODIES) == taking
