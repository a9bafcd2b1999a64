"""Environments through the admin API, and what runs of the entries that are in one, on a real PostgreSQL.

K-6: a restricted one is kept from whoever may not use it, when an entry is saved and at each look at its servers.
"""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any

import pytest

from control.changes import environments as changes
from control.changes.safeguards import Safeguards
from control.changes.write import changing
from control.registry.broken_rule import BrokenRule
from control.registry.environment import Environment
from control.registry.partial import environment_with
from control.registry.row_seals import RowSeals
from control.servers import wanting
from control.servers.runtime import Refused
from control.store.pool import transaction
from core.egress.addresses import AddressPolicy
from core.egress.rules import EgressRules
from tests.control.registry_api import JSON, Api, api
from tests.control.test_entries_that_we_run import to_run, versions
from tests.fixtures_admin import AdminClient
from tests.unit.control.changes.acting import ADMIN

__all__ = ["api"]

DEPLOY = "environment:deploy-to-restricted"
RUN = {"transport": "http", "image": "registry.example/server:1"}
UNPERMITTED = [pytest.param("eva", id="K-6: restricted environment, user without permission")]
CHANGED = [pytest.param(True, id="K-6: environment changed under an installed server")]


async def environment(api: Api, name: str = "Production", *, restricted: bool = True) -> JSON:
    made: JSON = await api.post("/environments", {"name": name, "restricted": restricted})
    return made


async def entry_in(api: Api, where: JSON | None, as_: AdminClient | None = None, expect: int = 201) -> Any:
    body = {"slug": "server", "name": "Server", "run": RUN, "environment_id": where and where["id"]}
    return await api.post("/entries", body, as_=as_, expect=expect)


async def editor(api: Api, name: str, *given: str) -> tuple[AdminClient, str]:
    """An editor who was given a role with these permissions and `entry:run`, and the path at which it is taken."""
    person = await api.admin.as_new_user(name, "editor")
    role = await api.post("/roles", {"name": f"Of {name}", "permissions": ["entry:run", *given]})
    path = f"/roles/{role['id']}/holders/{person.user['id']}"
    await api.call("PUT", path, {"team_id": None}, expect=200, tag="*")
    return person, path


async def refused_to_run(api: Api, installation: JSON) -> bool:
    try:
        found = await to_run(api, installation)
    except Refused as why:
        return why.cause == "not_permitted" and "'Production'" in why.message and DEPLOY in why.message
    return found is None


async def test_an_environment_is_made_changed_and_deleted_and_the_trail_says_so(api: Api) -> None:
    made = await environment(api, restricted=False)
    changed = await api.patch(f"/environments/{made['id']}", {"restricted": True})
    assert (changed["name"], changed["restricted"], changed["version"]) == ("Production", True, 2)
    assert await api.get("/environments?name=PRODUCTION") == {"items": [changed], "next": None}
    await api.delete(f"/environments/{made['id']}")
    await api.get(f"/environments/{made['id']}", expect=404)
    lines = (await api.get("/audit?object_kind=environment"))["items"]
    assert [line["action"] for line in lines] == ["delete", "update", "create"]
    assert (lines[1]["before"]["restricted"], lines[1]["after"]["restricted"]) == (False, True)


ALL = {
    "name": "Payments", "namespace": "payments",
    "egress": {"mode": "off", "cidrs": [], "domains": [], "ports": ["443"]},
    "node_selector": {"pool": "tools"}, "tolerations": [{"key": "tools", "operator": "Exists"}],
    "resources": {"cpu": "100m", "memory": "", "memory_limit": "1Gi", "cpu_limit": ""},
    "image_registries": ["registry.example.com/team"], "quota": {"servers": 3, "cpu": "2", "memory": "8Gi"},
}  # fmt: skip


async def test_all_that_an_environment_says_of_its_servers_is_kept_and_shown(api: Api) -> None:
    made = await api.post("/environments", ALL)
    assert {name: made[name] for name in ALL} == ALL
    assert await api.get(f"/environments/{made['id']}") == made


async def test_a_change_of_a_part_leaves_the_other_parts(api: Api) -> None:
    made = await api.post("/environments", ALL)
    parts = {"egress": {"mode": "all"}, "resources": {"memory": "256Mi"}, "quota": {"servers": 4}}
    changed = await api.patch(f"/environments/{made['id']}", parts)
    assert changed["egress"] == {**ALL["egress"], "mode": "all"}
    assert changed["resources"] == {**ALL["resources"], "memory": "256Mi"}
    assert changed["quota"] == {"servers": 4, "cpu": "2", "memory": "8Gi"}
    gone = await api.patch(f"/environments/{made['id']}", {"egress": None, "resources": None})
    assert (gone["egress"], gone["resources"], gone["namespace"]) == (None, None, "payments")


async def test_what_no_cluster_would_take_is_refused_at_its_field(api: Api) -> None:
    for body, field in (
        ({"namespace": "Payments"}, "namespace"),
        ({"tolerations": [{"key": "a", "operator": "In"}]}, "tolerations[0].operator"),
        ({"image_registries": ["https://registry.example.com"]}, "image_registries[0]"),
        ({"quota": {"memory": "much"}}, "quota.memory"),
    ):
        refused = await api.post("/environments", {"name": "Payments", **body}, expect=422)
        assert [one["field"] for one in refused["errors"]] == [field]
    body = {"name": "Payments", "egress": {"mode": "restricted"}, "presets": [api.admin.user["id"]]}
    no_preset = await api.post("/environments", body, expect=409)
    assert no_preset["errors"][0]["field"] == "presets"


async def test_two_have_not_one_name(api: Api) -> None:
    await environment(api)
    refused = await api.post("/environments", {"name": "PRODUCTION"}, expect=409)
    assert refused["errors"][0]["field"] == "name"


async def test_one_that_entries_are_in_is_not_deleted_and_they_are_named(api: Api) -> None:
    made = await environment(api)
    entry = await entry_in(api, made)
    assert "server" in (await api.delete(f"/environments/{made['id']}", expect=409))["detail"]
    assert (await api.patch(f"/entries/{entry['id']}", {"environment_id": None}))["placed_by"] is None
    await api.delete(f"/environments/{made['id']}")


async def test_entries_are_listed_by_their_environment(api: Api) -> None:
    made, other = await environment(api), await environment(api, "Staging")
    await api.entry(slug="elsewhere")
    entry = await entry_in(api, made)
    found = (await api.get(f"/entries?environment_id={made['id']}"))["items"]
    assert [one["id"] for one in found] == [entry["id"]]
    assert (await api.get(f"/entries?environment_id={other['id']}"))["items"] == []


async def test_an_entry_is_put_into_no_environment_that_is_not_there(api: Api) -> None:
    entry = await api.entry()
    refused = await api.patch(f"/entries/{entry['id']}", {"environment_id": entry["id"]}, expect=422)
    assert refused["errors"][0]["field"] == "environment_id"


async def test_entries_and_gateways_that_somebody_does_not_see_are_not_named_where_one_is_not_deleted(
    api: Api,
) -> None:
    uma = await api.admin.as_new_user("uma", "member")
    role = await api.post("/roles", {"name": "Of uma", "permissions": ["environment:delete"]})
    await api.call("PUT", f"/roles/{role['id']}/holders/{uma.user['id']}", {"team_id": None}, expect=200, tag="*")
    made, red = await environment(api, restricted=False), await api.team("Red")
    entry = await entry_in(api, made)
    hidden = await api.entry(slug="ledger", environment_id=made["id"], visibility="teams", teams=[red["id"]])
    path = f"/environments/{made['id']}"
    told = (await api.delete(path, as_=uma, expect=409))["detail"]
    assert "The entries server and entries of others are in this environment" in told
    await api.delete(f"/entries/{entry['id']}")
    assert "Entries of others are in" in (await api.delete(path, as_=uma, expect=409))["detail"]
    await api.delete(f"/entries/{hidden['id']}")
    await api.gateway(slug="secret", visibility="teams", teams=[red["id"]], environments=[made["id"]])
    assert "Gateways of others serve" in (await api.delete(path, as_=uma, expect=409))["detail"]


async def test_whoever_keeps_entries_puts_them_into_one_that_is_not_restricted(api: Api) -> None:
    eva, _ = await editor(api, "eva")
    made = await environment(api, restricted=False)
    entry = await entry_in(api, made, as_=eva)
    assert (entry["environment_id"], entry["placed_by"]) == (made["id"], eva.user["id"])
    assert (await api.patch(f"/entries/{entry['id']}", {"name": "Other"}))["placed_by"] == eva.user["id"]


@pytest.mark.parametrize("name", UNPERMITTED)
async def test_nobody_without_the_permission_moves_an_entry_into_a_restricted_one_or_out_of_it(
    api: Api, name: str
) -> None:
    eva, _ = await editor(api, name)
    production, vault = await environment(api), await environment(api, "Vault")
    staging = await environment(api, "Staging", restricted=False)
    assert DEPLOY in (await entry_in(api, production, as_=eva, expect=403))["detail"]
    inside = f"/entries/{(await entry_in(api, production))['id']}"
    for where in (vault["id"], staging["id"], None):
        assert DEPLOY in (await api.patch(inside, {"environment_id": where}, as_=eva, expect=403))["detail"]
    outside = f"/entries/{(await api.entry())['id']}"
    await api.patch(outside, {"environment_id": production["id"]}, as_=eva, expect=403)
    kept = await api.patch(inside, {"environment_id": production["id"], "name": "Other"}, as_=eva)
    assert kept["placed_by"] == api.admin.user["id"]
    assert (await api.get(outside))["environment_id"] is None


async def test_whoever_was_given_the_permission_moves_entries_between_restricted_ones(api: Api) -> None:
    dora, _ = await editor(api, "dora", DEPLOY)
    entry = await entry_in(api, await environment(api), as_=dora)
    vault = await environment(api, "Vault")
    moved = await api.patch(f"/entries/{entry['id']}", {"environment_id": vault["id"]}, as_=dora)
    assert (moved["environment_id"], moved["placed_by"]) == (vault["id"], dora.user["id"])


async def test_a_restriction_is_lifted_only_by_who_holds_the_permission_too(api: Api) -> None:
    made = await environment(api)
    uma = await api.admin.as_new_user("uma")
    role = await api.post("/roles", {"name": "Renames", "permissions": ["environment:update"]})
    await api.call("PUT", f"/roles/{role['id']}/holders/{uma.user['id']}", {"team_id": None}, expect=200, tag="*")
    path = f"/environments/{made['id']}"
    assert DEPLOY in (await api.patch(path, {"restricted": False}, as_=uma, expect=403))["detail"]
    await api.patch(path, {"name": "Live"}, as_=uma)
    assert not (await api.patch(path, {"restricted": False}))["restricted"]


@pytest.mark.parametrize("restricted", CHANGED)
async def test_an_installed_server_runs_no_more_where_its_environment_is_restricted_afterwards(
    api: Api, restricted: bool
) -> None:
    eva, _ = await editor(api, "eva")
    made = await environment(api, restricted=False)
    entry = await entry_in(api, made, as_=eva)
    installation = await api.install(entry)
    assert not await refused_to_run(api, installation)
    word = (await versions(api))[installation["id"]]
    await api.patch(f"/environments/{made['id']}", {"restricted": restricted})
    assert (await versions(api))[installation["id"]] != word
    assert await refused_to_run(api, installation)
    restart = f"/installations/{installation['id']}/restart"
    assert f"Have somebody who holds `{DEPLOY}` save the entry" in (await api.post(restart, expect=409))["detail"]
    # Somebody who may names it again, and stands for it from then on.
    await api.patch(f"/entries/{entry['id']}", {"name": "Other"})
    assert await refused_to_run(api, installation)
    await api.patch(f"/entries/{entry['id']}", {"environment_id": made["id"]})
    assert not await refused_to_run(api, installation)
    assert DEPLOY not in (await api.post(restart, expect=409))["detail"]  # nothing runs servers here


async def test_a_server_that_is_refused_is_still_held_to_what_its_environment_says(api: Api) -> None:
    eva, _ = await editor(api, "eva")
    made = await environment(api, restricted=False)
    installation = await api.install(await entry_in(api, made, as_=eva))
    locked = {"restricted": True, "egress": {"mode": "off"}, "namespace": "live"}
    await api.patch(f"/environments/{made['id']}", locked)
    assert await refused_to_run(api, installation)
    async with transaction(api.pool, readonly=True) as connection:
        held = await wanting.confined(connection, installation["id"])
    assert held is not None
    assert (held.entry, held.namespace, held.egress) == ("server", "live", EgressRules("off"))


@pytest.mark.parametrize("loss", ["role taken", "role changed", "disabled", "deleted"])
async def test_a_server_runs_no_more_once_whoever_placed_it_may_not_place_it_any_more(api: Api, loss: str) -> None:
    dora, holding = await editor(api, "dora", DEPLOY)
    installation = await api.install(await entry_in(api, await environment(api), as_=dora))
    assert not await refused_to_run(api, installation)
    word = (await versions(api))[installation["id"]]
    match loss:
        case "role taken":
            await api.call("DELETE", holding, expect=204, tag="*")
        case "role changed":
            await api.patch(holding.partition("/holders")[0], {"permissions": []})
        case "disabled":
            await api.post(f"/users/{dora.user['id']}/disable", expect=200)
        case "deleted":
            await api.delete(f"/users/{dora.user['id']}")
    assert (await versions(api))[installation["id"]] != word
    assert await refused_to_run(api, installation)


async def test_a_change_of_an_environment_wakes_whoever_runs_servers(api: Api) -> None:
    made, told = await environment(api), asyncio.Event()
    async with api.pool.acquire() as connection:
        await connection.add_listener("archway_servers", lambda *_: told.set())
        await api.patch(f"/environments/{made['id']}", {"name": "Live"})
        async with asyncio.timeout(10):
            await told.wait()
        await connection.reset()


async def test_nobody_is_told_of_an_entry_that_is_shut_out_and_that_they_do_not_see(api: Api) -> None:
    red, mia = await api.team("Red"), await api.user("Mia")
    made = await api.post("/environments", {"name": "Staging", "egress": {"mode": "all"}})
    entry = {"slug": "ours", "name": "Ours", "url": "https://ours.example.com/mcp", "team_id": red["id"]}
    await api.post("/entries", {**entry, "environment_id": made["id"]})
    path = f"/environments/{made['id']}"
    assert (await api.patch(path, {"egress": {"mode": "off"}}))["shut_out"] == ["ours"]
    assert (await api.call("GET", path, as_=mia, expect=200))["shut_out"] == []
    (listed,) = (await api.call("GET", "/environments", as_=mia, expect=200))["items"]
    assert listed["shut_out"] == []


async def test_one_whose_namespace_is_closed_by_now_is_changed_and_moves_to_open_ones_alone(api: Api) -> None:
    made = await api.post("/environments", {"name": "Payments", "namespace": "closed"})
    safeguards = Safeguards(RowSeals(api.ring), AddressPolicy(), namespaces=("open", "other"))

    async def change(**given: Any) -> Environment:
        async with changing(api.pool, ADMIN) as write:
            wanted = partial(environment_with, given=given)
            return await changes.change(write, safeguards, made["id"], wanted)

    assert (await change(restricted=True)).namespace == "closed"
    with pytest.raises(BrokenRule, match="ARCHWAY_SERVERS_NAMESPACES"):
        await change(namespace="shut")
    assert (await change(namespace="open")).namespace == "open"
