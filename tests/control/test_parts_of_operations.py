"""Parts of operations that need an action of their own, beside the one that opens the route (`permissions.TABLE`)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final

import pytest

from control.admin.permissions import TABLE
from control.registry.actions import Action, permissions_of
from tests.control.registry_api import Api, api
from tests.control.test_every_operation import RESERVED, give
from tests.fixtures_admin import AdminClient

__all__ = ["api"]
DEPLOY: Final[Action] = "environment:deploy-to-restricted"


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


async def for_a_program(api: Api, client: AdminClient) -> dict[str, str]:
    """What an installation is made of that is a service account's."""
    program = {"name": f"Of {client.user['id']}", "acts": "by_itself", "auth_method": "client_secret_post"}
    static = {"credential_model": "static", "credential_placement": {"style": "bearer"}}
    entry = await api.entry(slug=f"e{client.user['id'][-8:]}", **static)
    owner = {"scope": "service", "oauth_client_id": (await api.post("/oauth-clients", program))["id"]}
    return {"entry_id": entry["id"], "credential": "k", **owner}


async def installs_for_a_program(api: Api, client: AdminClient) -> bool:
    return (await client.post("/installations", await for_a_program(api, client))).status == 201


async def gives_a_program_another_key(api: Api, client: AdminClient) -> bool:
    path = f"/installations/{(await api.post('/installations', await for_a_program(api, client)))['id']}"
    return (await client.send("PATCH", path, {"credential": "mine"}, match="*")).status == 200


async def says_what_runs_here(api: Api, client: AdminClient) -> bool:
    body = {"slug": f"e{client.user['id'][-8:]}", "name": "Ours", "run": {"command": ["npx", "-y", "ours@1.2.3"]}}
    return (await client.post("/entries", body)).status == 201


async def changes_what_runs_here(api: Api, client: AdminClient) -> bool:
    """Of all that chooses code; what does not is every editor's."""
    run = {"command": ["npx", "-y", "ours@1.2.3"]}
    made = await api.entry(slug=f"e{client.user['id'][-8:]}", kind="self_hosted", run=run, url="")
    path = f"/entries/{made['id']}"
    assert (await client.send("PATCH", path, {"name": "Another"}, match="*")).status == 200
    tries = [
        {"run": {**run, "command": ["npx", "-y", "evil@1.2.3"]}},
        {"run": {**run, "environment": {"NODE_OPTIONS": "--require=/tmp/evil"}}},
        {"run": {**run, "image": "registry.example/evil:1"}},
        {"run_secrets": {"PERL5OPT": "-Mevil"}},
    ]
    statuses = {(await client.send("PATCH", path, one, match="*")).status for one in tries}
    assert len(statuses) == 1
    return statuses == {200}


OVER_IT = {"override": "spec: {template: {metadata: {annotations: {custom.archway.dev/note: mine}}}}"}


async def says_more_of_what_runs_here(api: Api, client: AdminClient) -> bool:
    await give(api, client, f"Runs, of {client.user['id']}", frozenset({"entry:run"}), None)
    run = {"command": ["npx", "-y", "ours@1.2.3"]}
    body = {"slug": f"e{client.user['id'][-8:]}", "name": "Ours", "run": {**run, **OVER_IT}}
    return (await client.post("/entries", body)).status == 201


async def changes_more_of_what_runs_here(api: Api, client: AdminClient) -> bool:
    await give(api, client, f"Runs, of {client.user['id']}", frozenset({"entry:run"}), None)
    run = {"command": ["npx", "-y", "ours@1.2.3"]}
    made = await api.entry(slug=f"e{client.user['id'][-8:]}", kind="self_hosted", run=run, url="")
    return (await client.send("PATCH", f"/entries/{made['id']}", {"run": OVER_IT}, match="*")).status == 200


async def restricted_one(api: Api, client: AdminClient) -> str:
    """The identifier of an environment that only some put entries into."""
    made = await api.post("/environments", {"name": f"Of {client.user['id']}", "restricted": True})
    return str(made["id"])


async def makes_an_entry_in_a_restricted_environment(api: Api, client: AdminClient) -> bool:
    slug = f"e{client.user['id'][-8:]}"
    body = {"slug": slug, "name": slug, "url": "https://a.example/mcp"}
    environment_id = await restricted_one(api, client)
    return (await client.post("/entries", {**body, "environment_id": environment_id})).status == 201


async def moves_an_entry_into_a_restricted_environment(api: Api, client: AdminClient) -> bool:
    path = "/entries/" + (await api.entry(slug=f"e{client.user['id'][-8:]}"))["id"]
    body = {"environment_id": await restricted_one(api, client)}
    return (await client.send("PATCH", path, body, match="*")).status == 200


async def deletes_an_entry_in_a_restricted_environment(api: Api, client: AdminClient) -> bool:
    body = {"environment_id": await restricted_one(api, client)}
    path = "/entries/" + (await api.entry(slug=f"e{client.user['id'][-8:]}", **body))["id"]
    return (await client.send("DELETE", path, match="*")).status == 204


async def lifts_a_restriction(api: Api, client: AdminClient) -> bool:
    path = f"/environments/{await restricted_one(api, client)}"
    return (await client.send("PATCH", path, {"restricted": False}, match="*")).status == 200


async def deletes_a_restricted_one(api: Api, client: AdminClient) -> bool:
    path = f"/environments/{await restricted_one(api, client)}"
    return (await client.send("DELETE", path, match="*")).status == 204


async def leads_into_a_restricted_namespace(api: Api, client: AdminClient) -> bool:
    namespace = f"n{client.user['id'][-8:]}"
    await api.post("/environments", {"name": f"Of {namespace}", "restricted": True, "namespace": namespace})
    return (await client.post("/environments", {"name": namespace, "namespace": namespace})).status == 201


async def asks_what_becomes_of_anothers_call(api: Api, client: AdminClient) -> bool:
    gateway = await api.gateway(slug=f"g{client.user['id'][-8:]}")
    path = f"/gateways/{gateway['id']}/explain"
    return (await client.post(path, {"tool": "a", "subject": "organisation"})).status == 200


PARTS: dict[tuple[str, Action], Callable[[Api, AdminClient], Awaitable[bool]]] = {
    ("GET /deployment", "deployment:read"): sees_all_numbers,
    ("POST /users", "role:grant"): lets_an_editor_in,
    ("PATCH /users/{user_id}", "role:grant"): makes_an_editor,
    ("PUT /teams/{team_id}/members/{user_id}", "role:grant"): makes_an_editor_of_a_team,
    ("POST /entries", "entry:run"): says_what_runs_here,
    ("PATCH /entries/{entry_id}", "entry:run"): changes_what_runs_here,
    ("POST /entries", "entry:override"): says_more_of_what_runs_here,
    ("PATCH /entries/{entry_id}", "entry:override"): changes_more_of_what_runs_here,
    ("POST /entries", DEPLOY): makes_an_entry_in_a_restricted_environment,
    ("PATCH /entries/{entry_id}", DEPLOY): moves_an_entry_into_a_restricted_environment,
    ("DELETE /entries/{entry_id}", DEPLOY): deletes_an_entry_in_a_restricted_environment,
    ("POST /environments", DEPLOY): leads_into_a_restricted_namespace,
    ("PATCH /environments/{environment_id}", DEPLOY): lifts_a_restriction,
    ("DELETE /environments/{environment_id}", DEPLOY): deletes_a_restricted_one,
    ("POST /installations", "installation:share"): installs_for_everybody,
    ("POST /installations", "oauth_client:update"): installs_for_a_program,
    ("PATCH /installations/{installation_id}", "oauth_client:update"): gives_a_program_another_key,
    ("PATCH /tokens/{token_id}", "token:create"): puts_off_an_end,
    ("POST /gateways/{gateway_id}/explain", "gateway:explain"): asks_what_becomes_of_anothers_call,
}
"""That part of an operation which needs an action of its own: whether somebody may do it."""


def test_every_operation_of_which_a_part_needs_more_is_asked_for_it() -> None:
    assert set(PARTS) == {(key, part) for key, needed in TABLE.items() for part in needed[1:]}


@pytest.mark.parametrize(("key", "part"), PARTS)
async def test_a_part_of_an_operation_needs_its_own_action_beside_the_one_that_opens_it(
    api: Api, key: str, part: Action
) -> None:
    opens = TABLE[key][0]
    for name, more in (("Without", ()), ("With", (part,))):
        client = await api.admin.as_new_user(name)
        # What an editor holds, so that nothing is refused for being more than the giver holds.
        held = (permissions_of("editor") - {part}).union((opens, *more)) - RESERVED
        await give(api, client, name, held, None)
        assert await PARTS[key, part](api, client) == (bool(more) and part not in RESERVED), name
    assert await PARTS[key, part](api, api.admin)
