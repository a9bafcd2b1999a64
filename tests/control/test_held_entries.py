"""Remote entries under the egress policy of their environment, through the admin API on a real PostgreSQL: what is
refused at saving, what proxies are told, and who hears of entries that a changed policy shuts out.
"""

from __future__ import annotations

from typing import Any

from control.admin.deps import Deps
from control.credentials.resolved import resolve_without_secrets
from control.discovery.asked_again import AskedAgain
from control.store import entries
from control.store.pool import transaction
from core.egress.rules import Allowed, EgressRules
from core.identifiers import new_id
from core.resolve import ResolvedInstallation
from tests.control.registry_api import JSON, Api, api

__all__ = ["api"]

ONLY_TIME = {"mode": "restricted", "domains": ["time.example"], "ports": ["443"]}
ONLY_A_NETWORK = {"mode": "restricted", "cidrs": ["203.0.113.0/24"], "domains": [], "ports": ["443"]}


async def environment(api: Api, egress: JSON | None, **fields: Any) -> JSON:
    made: JSON = await api.post("/environments", {"name": "Production", "egress": egress, **fields})
    return made


async def resolved(api: Api, entry: JSON) -> ResolvedInstallation:
    async with transaction(api.pool, readonly=True) as connection:
        found = await entries.one(connection, entry["id"])
    assert found is not None
    server = resolve_without_secrets(found)
    assert server is not None
    return server


async def test_an_entry_is_saved_where_its_policy_allows_its_host_and_nowhere_else(api: Api) -> None:
    there = await environment(api, ONLY_TIME)
    made = await api.entry(environment_id=there["id"])
    body = {"slug": "no", "name": "No", "url": "https://other.example/mcp", "environment_id": there["id"]}
    for refused in (
        await api.post("/entries", body, expect=422),
        await api.patch(f"/entries/{made['id']}", {"url": "https://other.example/mcp"}, expect=422),
    ):
        (error,) = refused["errors"]
        assert error["field"] == "url"
        assert "other.example:443, which the egress policy of the environment Production" in error["message"]
        assert error["message"].endswith("it allows time.example on 443")
    assert (await api.get(f"/entries/{made['id']}"))["url"] == "https://time.example/mcp"


async def test_an_entry_is_not_moved_to_where_it_would_be_shut_out(api: Api) -> None:
    there = await environment(api, {"mode": "off"})
    made = await api.entry()
    refused = await api.patch(f"/entries/{made['id']}", {"environment_id": there["id"]}, expect=422)
    assert [error["field"] for error in refused["errors"]] == ["environment_id"]
    assert refused["errors"][0]["message"].endswith("it allows nothing")
    assert (await api.get(f"/entries/{made['id']}"))["environment_id"] is None


async def test_proxies_are_told_the_policy_with_its_presets_and_nothing_where_there_is_none(api: Api) -> None:
    preset = new_id()
    async with transaction(api.pool) as connection:
        await connection.execute(
            "insert into egress_presets (id, name, domains) values ($1, 'Other', $2)", preset, ["other.example"]
        )
    there = await environment(api, ONLY_TIME, presets=[preset])
    found = await resolved(api, await api.entry(environment_id=there["id"]))
    allowed = (Allowed(domains=("time.example",)), Allowed(domains=("other.example",)))
    assert (found.egress, found.environment) == (EgressRules("restricted", allowed), "Production")
    everything = await api.post("/environments", {"name": "Open", "egress": {"mode": "all"}})
    for number, where in enumerate((None, everything["id"])):
        found = await resolved(api, await api.entry(slug=f"e{number}", environment_id=where))
        assert (found.egress, found.environment) == (EgressRules(), "")


async def test_a_policy_that_shuts_entries_out_is_taken_and_names_them(api: Api) -> None:
    there = await environment(api, ONLY_TIME)
    entry = await api.entry(environment_id=there["id"])
    installed = await api.install(entry)
    assert there["shut_out"] == []
    await api.events()
    path = f"/environments/{there['id']}"
    changed = await api.patch(path, {"egress": {"mode": "off"}})
    assert changed["shut_out"] == ["time"] == (await api.get(path))["shut_out"]
    assert {("entry", entry["id"]), ("installation", installed["id"])} <= {*await api.events()}
    assert (await api.get("/audit?object_kind=environment"))["items"][0]["after"]["shut_out"] == ["time"]
    assert (await api.patch(f"/entries/{entry['id']}", {"name": "Still changed"}))["name"] == "Still changed"
    (warning,) = (await api.get(f"/entries/{entry['id']}"))["warnings"]
    assert warning.startswith("Its calls are refused: it leads to time.example:443")
    assert (await api.patch(path, {"egress": None}))["shut_out"] == []


async def test_sessions_end_where_a_policy_does_not_permit_the_name(api: Api) -> None:
    there = await environment(api, None)
    entry = await api.entry(environment_id=there["id"])
    installed = await api.install(entry)
    for egress, over in [
        (ONLY_TIME, False),
        (ONLY_A_NETWORK, True),
        ({"mode": "all"}, False),
        ({"mode": "off"}, True),
    ]:
        await api.events()
        await api.patch(f"/environments/{there['id']}", {"egress": egress})
        told = [one for one in await api.events() if one[0] in {"entry", "installation"}]
        assert told == [("installation", installed["id"])] * over + [("entry", entry["id"])]


async def test_another_change_of_an_environment_tells_proxies_nothing(api: Api) -> None:
    there = await environment(api, ONLY_TIME)
    await api.install(await api.entry(environment_id=there["id"]))
    await api.events()
    await api.patch(f"/environments/{there['id']}", {"restricted": False, "namespace": ""})
    assert not [one for one in await api.events() if one[0] in {"entry", "installation"}]


async def test_what_a_policy_shuts_out_is_nowhere_told_as_usable(api: Api) -> None:
    there = await environment(api, ONLY_TIME)
    entry = await api.entry(environment_id=there["id"])
    installed = await api.install(entry)
    gateway = await api.gateway()
    await api.assign(gateway, entry)
    assert (await api.get(f"/gateways/{gateway['id']}"))["usable"]
    await api.patch(f"/environments/{there['id']}", {"egress": {"mode": "off"}})
    found = await api.get(f"/gateways/{gateway['id']}")
    assert not found["usable"]
    assert any("shut out by the egress policy of the environment Production" in one for one in found["warnings"])
    standing = (await api.get(f"/installations/{installed['id']}"))["standing"]
    assert standing["word"] == "shut_out"
    assert "the egress policy of the environment Production does not allow" in standing["cause"]


async def unreachable(api: Api, installed: JSON) -> None:
    """As a discovery leaves one that a policy refused."""
    async with transaction(api.pool) as connection:
        await connection.execute("update installations set state = 'unreachable' where id = $1", installed["id"])


async def test_what_was_shut_out_is_asked_again_once_when_its_policy_is_widened(api: Api, deps: Deps) -> None:
    again = AskedAgain(api.pool, deps.discoverer)
    preset = await api.post("/egress-presets", {"name": "Times", "domains": ["other.example"]})
    there = await environment(api, ONLY_TIME, presets=[preset["id"]])
    installed = await api.install(await api.entry(environment_id=there["id"]))
    environment_path, preset_path = f"/environments/{there['id']}", f"/egress-presets/{preset['id']}"
    nothing = {"mode": "restricted", "domains": [], "ports": ["443"]}
    for path, narrowed, widened in (
        (environment_path, nothing, ONLY_TIME),
        (environment_path, nothing, nothing | {"mode": "all"}),
        (environment_path, nothing, None),
        (environment_path, nothing, nothing | {"cidrs": ["203.0.113.0/24"]}),
        (preset_path, [], ["time.example"]),
    ):
        field = "egress" if path == environment_path else "domains"
        if field == "domains":
            await api.patch(environment_path, {"egress": nothing, "presets": [preset["id"]]})
            _ = await again.ask()
        await api.patch(path, {field: ["other.example"] if field == "domains" else narrowed})
        await unreachable(api, installed)
        assert await again.ask() == 0
        await api.patch(path, {field: widened})
        assert (await again.ask(), await again.ask()) == (1, 0)
        assert (await api.get(f"/installations/{installed['id']}"))["state"] == "ready"


async def test_an_entry_that_is_moved_out_of_what_shut_it_out_is_asked_again(api: Api, deps: Deps) -> None:
    there = await environment(api, ONLY_TIME)
    entry = await api.entry(environment_id=there["id"])
    installed = await api.install(entry)
    await api.patch(f"/environments/{there['id']}", {"egress": {"mode": "off"}})
    await unreachable(api, installed)
    await api.patch(f"/entries/{entry['id']}", {"environment_id": None})
    assert await AskedAgain(api.pool, deps.discoverer).ask() == 1
    assert (await api.get(f"/installations/{installed['id']}"))["state"] == "ready"


async def test_an_entry_says_who_holds_it_to_its_policy_and_one_that_runs_here_what_its_policy_keeps_from_it(
    api: Api,
) -> None:
    there = await environment(api, {"mode": "restricted", "cidrs": ["203.0.113.0/24"], "ports": ["443"]})
    entry = await api.entry(environment_id=there["id"])
    assert (await api.get(f"/entries/{entry['id']}"))["held_to"].startswith(
        "Proxies hold its calls to the egress policy"
    )
    run = {"command": ["npx", "-y", "files@1.0.0"]}
    body = {"slug": "files", "name": "Files", "kind": "self_hosted", "run": run, "environment_id": there["id"]}
    ours = await api.post("/entries", body)
    (warning,) = ours["warnings"]
    assert "Production allows no host by name" in warning
    assert ours["held_to"] == ""
