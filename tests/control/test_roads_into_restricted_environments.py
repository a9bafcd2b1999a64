"""K-6: no road leads into a restricted environment, or out of it, for whoever does not hold its permission.

By what is sent through the admin API, by what was read from a client's configuration, by a team's own entries, by a
change of what runs there already, and by requests that were waiting while somebody else decided.
"""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any

import pytest

from control.changes import entries as entry_changes
from control.changes import environments as environment_changes
from control.changes.refusals import NotAllowed
from control.changes.write import changing
from control.registry.partial import entry_with, environment_with
from control.store import environments, users
from control.store.pool import transaction
from tests.control.registry_api import JSON, Api, api
from tests.control.test_environments import DEPLOY, RUN, editor, entry_in, environment, refused_to_run
from tests.fixtures_admin import AdminClient
from tests.unit.control.changes.acting import ADMIN, SAFEGUARDS, waiting_for_a_lock

__all__ = ["api"]

REMOTE = {"url": "https://server.example/mcp"}
KINDS = [
    pytest.param({"run": RUN}, id="K-6: made there or moved, self-hosted"),
    pytest.param(REMOTE, id="K-6: made there or moved, remote"),
]
DELETED = [
    pytest.param({"run": RUN}, id="K-6: deleted there, self-hosted"),
    pytest.param(REMOTE, id="K-6: deleted there, remote"),
]
OTHERS: dict[str, JSON] = {
    "image": {"run": {"image": "registry.example/server:2"}},
    "command": {"run": {"command": ["server", "--other"]}},
    "variable": {"run": {"environment": {"MODE": "other"}}},
    "secret": {"run_secrets": {"KEY": "other"}},
    "override": {"run": {"override": "spec: {template: {spec: {nodeSelector: {pool: other}}}}"}},
    "kind": {"kind": "remote", **REMOTE},
}
TO_ITS_NODES = {
    "its nodes": ("spec.template.spec.nodeSelector.pool", "nodeSelector: {pool: vault}"),
    "its taints": ("spec.template.spec.tolerations[0]", "tolerations: [{key: vault, operator: Exists}]"),
    "its namespace": ("spec.template.spec.namespace", "namespace: vault"),
}


def body(reached: JSON, where: JSON | None, slug: str = "server", **more: Any) -> JSON:
    return {"slug": slug, "name": slug, **reached, "environment_id": where and where["id"], **more}


@pytest.mark.parametrize("reached", KINDS)
async def test_an_entry_is_neither_made_in_it_nor_moved_in_or_out(api: Api, reached: JSON) -> None:
    eva, _ = await editor(api, "eva")
    production, staging = await environment(api), await environment(api, "Staging", restricted=False)
    assert DEPLOY in (await api.post("/entries", body(reached, production), as_=eva, expect=403))["detail"]
    outside = await api.post("/entries", body(reached, staging), as_=eva)
    inside = await api.post("/entries", body(reached, production, "inside"))
    for entry, there in ((outside, production["id"]), (inside, staging["id"]), (inside, None)):
        path = f"/entries/{entry['id']}"
        assert DEPLOY in (await api.patch(path, {"environment_id": there}, as_=eva, expect=403))["detail"]
        assert (await api.get(path))["environment_id"] == entry["environment_id"]


@pytest.mark.parametrize("reached", DELETED)
async def test_an_entry_that_is_there_is_not_deleted(api: Api, reached: JSON) -> None:
    eva, _ = await editor(api, "eva")
    dora, _ = await editor(api, "dora", DEPLOY)
    inside = await api.post("/entries", body(reached, await environment(api)))
    await api.install(inside)
    path = f"/entries/{inside['id']}"
    for cascade in ("", "?cascade=true"):
        refused = await api.call("DELETE", path + cascade, expect=403, as_=eva, tag="*")
        assert "Production is restricted" in refused["detail"]
        assert DEPLOY in refused["detail"]
    await api.get(path)
    await api.call("DELETE", f"{path}?cascade=true", expect=204, as_=dora, tag="*")


@pytest.mark.parametrize("reached", KINDS)
async def test_moving_from_one_to_another_needs_it_for_both(api: Api, reached: JSON) -> None:
    dora, holding = await editor(api, "dora", DEPLOY)
    production, vault = await environment(api), await environment(api, "Vault")
    path = f"/entries/{(await api.post('/entries', body(reached, production), as_=dora))['id']}"
    await api.patch(path, {"environment_id": vault["id"]}, as_=dora)
    await api.call("DELETE", holding, expect=204, tag="*")
    await api.patch(path, {"environment_id": production["id"]}, as_=dora, expect=403)


async def test_a_team_s_editor_does_not_put_the_team_s_own_entry_there(api: Api) -> None:
    red, production = await api.team("Red"), await environment(api)
    eve = await api.user("Eve", red, role="editor")
    own = {"team_id": red["id"]}
    assert DEPLOY in (await api.post("/entries", body(REMOTE, production, **own), as_=eve, expect=403))["detail"]
    path = f"/entries/{(await api.post('/entries', body(REMOTE, None, **own), as_=eve))['id']}"
    assert DEPLOY in (await api.patch(path, {"environment_id": production["id"]}, as_=eve, expect=403))["detail"]


async def test_what_is_read_from_a_client_s_configuration_gets_there_no_other_way(api: Api) -> None:
    eva, _ = await editor(api, "eva")
    production = await environment(api)
    config = {"mcpServers": {"server": {**REMOTE, "environment_id": production["id"], "environment": "Production"}}}
    (proposal,) = (await api.call("POST", "/catalog/read", {"config": config}, expect=200, as_=eva))["items"]
    assert "environment_id" not in proposal["entry"]
    assert (await api.post("/entries", proposal["entry"], as_=eva))["environment_id"] is None
    await api.post("/entries", {**proposal["entry"], "environment_id": production["id"]}, as_=eva, expect=403)


@pytest.mark.parametrize("change", [pytest.param(one, id=f"K-6: other {name}") for name, one in OTHERS.items()])
async def test_what_runs_there_becomes_nothing_else_by_whoever_may_not_put_it_there(api: Api, change: JSON) -> None:
    eva, _ = await editor(api, "eva", "entry:override")
    dora, _ = await editor(api, "dora", DEPLOY, "entry:override")
    path = f"/entries/{(await entry_in(api, await environment(api)))['id']}"
    before = await api.get(path)
    assert DEPLOY in (await api.patch(path, change, as_=eva, expect=403))["detail"]
    assert await api.get(path) == before
    await api.patch(path, {"name": "Called otherwise"}, as_=eva)
    await api.patch(path, change, as_=dora)


@pytest.mark.parametrize(
    ("at", "said"),
    [pytest.param(*both, id=f"K-6: override to {name}") for name, both in TO_ITS_NODES.items()],
)
async def test_no_override_leads_there_from_elsewhere(api: Api, at: str, said: str) -> None:
    there = {"node_selector": {"pool": "vault"}, "tolerations": [{"key": "vault", "operator": "Exists"}]}
    await api.post("/environments", {"name": "Vault", "restricted": True, "namespace": "vault", **there})
    path = f"/entries/{(await api.post('/entries', body({'run': RUN}, None)))['id']}"
    override = f"spec: {{template: {{spec: {{{said}}}}}}}"
    refused = await api.patch(path, {"run": {"override": override}}, expect=422)
    assert refused["errors"][0]["field"] == "run.override"
    assert at in refused["detail"]


async def test_a_remote_server_there_becomes_no_other(api: Api) -> None:
    eva, _ = await editor(api, "eva")
    path = f"/entries/{(await api.post('/entries', body(REMOTE, await environment(api))))['id']}"
    other = {"url": "https://other.example/mcp"}
    assert DEPLOY in (await api.patch(path, other, as_=eva, expect=403))["detail"]
    await api.patch(path, other)


FILLED = [
    pytest.param({"run": RUN}, {"name": "mode", "variable": "MODE"}, id="K-6: other variable by a default"),
    pytest.param({"run": {**RUN, "command": ["server", "${user_config.mode}"]}}, {"name": "mode"},
                 id="K-6: other command by a default"),
    pytest.param({"url": "https://{mode}.example.com/mcp"}, {"name": "mode"}, id="K-6: other host by a default"),
]  # fmt: skip


@pytest.mark.parametrize(("reached", "field"), FILLED)
async def test_no_default_makes_another_server_of_what_is_there(api: Api, reached: JSON, field: JSON) -> None:
    eva, _ = await editor(api, "eva")
    asks = {"required": False, "default": "good", **field}
    made = await api.post("/entries", body(reached, await environment(api), fields=[asks]))
    path = f"/entries/{made['id']}"
    other = {"fields": [{**asks, "default": "evil"}]}
    assert DEPLOY in (await api.patch(path, other, as_=eva, expect=403))["detail"]
    await api.patch(path, {"fields": [{**asks, "title": "What it does"}]}, as_=eva)
    await api.patch(path, other)


async def test_no_other_variable_or_token_is_given_to_what_is_there_as_its_credential(api: Api) -> None:
    eva, _ = await editor(api, "eva")
    provider = {"issuer": "https://id.example", "token_endpoint": "https://id.example/token", "resource": "omit"}
    credential = {"credential_model": "client_credentials", "credential_placement": {**provider, "variable": "KEY"}}
    stdio = {"run": {"command": ["server"]}}
    made = await api.post("/entries", body(stdio, await environment(api), **credential))
    path = f"/entries/{made['id']}"
    for other in ({"variable": "MODE"}, {"token_endpoint": "https://evil.example/token"}):
        change = {"credential_placement": {**made["credential_placement"], **other}}
        assert DEPLOY in (await api.patch(path, change, as_=eva, expect=403))["detail"]
    await api.patch(path, {"credential_placement": made["credential_placement"], "name": "Same"}, as_=eva)
    await api.patch(path, change)


async def test_what_somebody_made_of_an_entry_before_its_environment_was_restricted_does_not_run_there(
    api: Api,
) -> None:
    """Dora, who may, put it there; what would run is Eva's."""
    eva, _ = await editor(api, "eva")
    dora, _ = await editor(api, "dora", DEPLOY)
    production = await environment(api, restricted=False)
    entry = await entry_in(api, production, as_=dora)
    installation = await api.install(entry)
    path = f"/entries/{entry['id']}"
    changed = await api.patch(path, {"run": {"image": "registry.example/evil:1"}}, as_=eva)
    assert changed["placed_by"] == eva.user["id"]
    await api.patch(f"/environments/{production['id']}", {"restricted": True})
    assert await refused_to_run(api, installation)
    await api.patch(path, {"run": {"image": "registry.example/good:1"}}, as_=dora)
    assert not await refused_to_run(api, installation)


async def dora_saves(api: Api, dora: AdminClient, entry: JSON, where: JSON) -> None:
    """As her request does that was let in while she still held the permission."""
    async with transaction(api.pool, readonly=True) as connection:
        let_in = await users.caller(connection, dora.user["id"], "")
    assert let_in is not None
    wanted = partial(entry_with, given={"environment_id": where["id"]})
    async with changing(api.pool, let_in) as write:
        await entry_changes.change(write, SAFEGUARDS, entry["id"], wanted, places=True)


@pytest.mark.parametrize("loss", [pytest.param(one, id=f"K-6: {one}") for one in ("role taken", "disabled")])
async def test_a_request_that_waited_is_judged_by_what_its_sender_holds_now(api: Api, loss: str) -> None:
    dora, holding = await editor(api, "dora", DEPLOY)
    production, entry = await environment(api), await api.entry()

    async def is_refused() -> None:
        with pytest.raises(NotAllowed):
            await dora_saves(api, dora, entry, production)

    async with asyncio.TaskGroup() as group, changing(api.pool, ADMIN) as write:
        await environments.one(write.connection, production["id"], lock=True)
        group.create_task(is_refused())
        await waiting_for_a_lock(api.pool)
        if loss == "role taken":
            await api.call("DELETE", holding, expect=204, tag="*")
        else:
            await api.post(f"/users/{dora.user['id']}/disable", expect=200)
    assert (await api.get(f"/entries/{entry['id']}"))["environment_id"] is None


@pytest.mark.parametrize("loss", [pytest.param("role", id="K-6: role taken before the entry is there")])
async def test_what_was_saved_just_before_its_sender_lost_the_permission_does_not_run(api: Api, loss: str) -> None:
    """Both transactions run at once; whichever order they are seen in, no server is started."""
    dora, holding = await editor(api, "dora", DEPLOY)
    production = await environment(api)
    entry = await entry_in(api, None)
    installation = await api.install(entry)
    wanted = partial(entry_with, given={"environment_id": production["id"]})
    async with transaction(api.pool, readonly=True) as connection:
        let_in = await users.caller(connection, dora.user["id"], "")
    assert let_in is not None
    async with changing(api.pool, let_in) as write:
        await entry_changes.change(write, SAFEGUARDS, entry["id"], wanted, places=True)
        await api.call("DELETE", holding, expect=204, tag="*")
    assert (await api.get(f"/entries/{entry['id']}"))["environment_id"] == production["id"], loss
    assert await refused_to_run(api, installation)


async def test_a_restriction_that_is_being_put_holds_for_whoever_is_just_moving_an_entry_in(api: Api) -> None:
    eva, _ = await editor(api, "eva")
    production, entry = await environment(api, restricted=False), await api.entry()

    async def is_refused() -> None:
        with pytest.raises(NotAllowed, match=DEPLOY):
            await dora_saves(api, eva, entry, production)

    async with asyncio.TaskGroup() as group, changing(api.pool, ADMIN) as write:
        wanted = partial(environment_with, given={"restricted": True})
        await environment_changes.change(write, SAFEGUARDS, production["id"], wanted)
        group.create_task(is_refused())
        await waiting_for_a_lock(api.pool)
    assert (await api.get(f"/entries/{entry['id']}"))["environment_id"] is None


async def test_no_other_environment_leads_into_its_namespace_without_the_permission(api: Api) -> None:
    uma, _ = await editor(api, "uma", "environment:create", "environment:update")
    await api.post("/environments", {"name": "Vault", "restricted": True, "namespace": "vault"})
    door = {"name": "Door", "namespace": "vault"}
    assert DEPLOY in (await api.post("/environments", door, as_=uma, expect=403))["detail"]
    made = await api.post("/environments", {**door, "namespace": "open"}, as_=uma)
    path = f"/environments/{made['id']}"
    assert DEPLOY in (await api.patch(path, {"namespace": "vault"}, as_=uma, expect=403))["detail"]
    await api.patch(path, {"namespace": "vault"})


async def test_what_shared_a_place_before_it_was_restricted_is_still_changed_in_all_else(api: Api) -> None:
    uma, _ = await editor(api, "uma", "environment:create", "environment:update")
    door = f"/environments/{(await api.post('/environments', {'name': 'Door', 'namespace': 'vault'}, as_=uma))['id']}"
    await api.post("/environments", {"name": "Vault", "restricted": True, "namespace": "vault"})
    await api.patch(door, {"egress": {"mode": "off"}}, as_=uma)
    await api.patch(door, {"namespace": "open"}, as_=uma)
    assert DEPLOY in (await api.patch(door, {"namespace": "vault"}, as_=uma, expect=403))["detail"]


@pytest.mark.parametrize(
    "nodes",
    [
        {"node_selector": {"pool": "vault"}},
        {"tolerations": [{"key": "vault"}]},
        {"tolerations": [{"operator": "Exists"}]},
    ],
)
async def test_no_other_environment_leads_to_its_nodes_without_the_permission(api: Api, nodes: JSON) -> None:
    uma, _ = await editor(api, "uma", "environment:create", "environment:update")
    there = {"node_selector": {"pool": "vault"}, "tolerations": [{"key": "vault", "operator": "Exists"}]}
    await api.post("/environments", {"name": "Vault", "restricted": True, **there})
    door = {"name": "Door", **nodes}
    refused = await api.post("/environments", door, as_=uma, expect=403)
    assert "nodes of the environment Vault" in refused["detail"]
    made = await api.post("/environments", {"name": "Door"}, as_=uma)
    path = f"/environments/{made['id']}"
    assert DEPLOY in (await api.patch(path, nodes, as_=uma, expect=403))["detail"]
    await api.patch(path, nodes)


@pytest.mark.parametrize(
    "place", [{"namespace": "open"}, {"node_selector": {"pool": "open"}}, {"tolerations": [{"key": "open"}]}]
)
async def test_it_is_moved_to_no_other_place_without_the_permission(api: Api, place: JSON) -> None:
    uma, _ = await editor(api, "uma", "environment:create", "environment:update")
    made = await api.post("/environments", {"name": "Vault", "restricted": True, "namespace": "vault"})
    path = f"/environments/{made['id']}"
    assert DEPLOY in (await api.patch(path, place, as_=uma, expect=403))["detail"]
    await api.patch(path, {"name": "Safe"}, as_=uma)
    await api.patch(path, place)


async def test_the_same_tolerations_in_other_words_are_no_other_place(api: Api) -> None:
    """The console's form says all of a toleration, whatever the API was given."""
    uma, _ = await editor(api, "uma", "environment:update")
    made = await api.post("/environments", {"name": "Vault", "restricted": True, "tolerations": [{"key": "vault"}]})
    said = {"key": "vault", "operator": "Equal", "value": ""}
    await api.patch(f"/environments/{made['id']}", {"name": "Safe", "tolerations": [said]}, as_=uma)


async def test_it_is_not_deleted_and_made_again_without_the_restriction_by_whoever_may_not_lift_it(api: Api) -> None:
    uma, _ = await editor(api, "uma", "environment:create", "environment:delete")
    vault = {"name": "Vault", "namespace": "vault"}
    made = await api.post("/environments", {**vault, "restricted": True})
    path = f"/environments/{made['id']}"
    assert DEPLOY in (await api.call("DELETE", path, expect=403, as_=uma, tag="*"))["detail"]
    await api.delete(path)
    await api.delete(f"/environments/{(await api.post('/environments', vault, as_=uma))['id']}", as_=uma)


async def test_whoever_lifts_the_restriction_holds_it_when_they_do(api: Api) -> None:
    uma, holding = await editor(api, "uma", DEPLOY, "environment:update")
    production = await environment(api)
    async with transaction(api.pool, readonly=True) as connection:
        let_in = await users.caller(connection, uma.user["id"], "")
    assert let_in is not None
    await api.call("DELETE", holding, expect=204, tag="*")
    wanted = partial(environment_with, given={"restricted": False})
    async with changing(api.pool, let_in) as write:
        with pytest.raises(NotAllowed, match=DEPLOY):
            await environment_changes.change(write, SAFEGUARDS, production["id"], wanted)
