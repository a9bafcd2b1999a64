"""Pages of environments and egress presets over plain HTTP: made, changed, refused and deleted, by those who may."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from control.changes import egress_presets as preset_changes
from control.changes import environments as changes
from control.changes import gateways, teams
from control.changes.write import changing
from control.registry.egress import Egress, EgressPreset, NewEgressPreset
from control.registry.environment import Environment, NewEnvironment, Quota
from control.registry.self_hosted import Resources
from control.registry.team import NewTeam
from control.store import egress_presets, environments
from control.store.pool import transaction
from tests.console.registry_seeds import an_entry
from tests.console.serving import MAKER, Console, reading
from tests.console.test_registry import filled
from tests.console.test_registry import kept as kept_entry
from tests.control import seeded
from tests.fakes.registry import gateway_fields


async def made(console: Console, name: str = "Production", **fields: Any) -> Environment:
    async with changing(console.pool, MAKER) as write:
        wanted = NewEnvironment(name=name, **fields)
        return await changes.create(write, console.deps.safeguards, wanted)


async def preset(console: Console, name: str = "GitHub") -> EgressPreset:
    async with changing(console.pool, MAKER) as write:
        return await preset_changes.create(write, NewEgressPreset(name=name, domains=("api.github.com",)))


async def kept(console: Console, environment_id: str) -> Environment | None:
    async with transaction(console.pool, readonly=True) as connection:
        return await environments.one(connection, environment_id)


TYPED = {
    "name": "Production", "restricted": "true", "mode": "restricted", "cidrs": "203.0.113.0/24",
    "domains": "api.example.com\n**.cdn.example.com", "ports": "443\n5432-5440", "node_selector": "pool=tools",
    "tolerations": "dedicated=tools:NoSchedule\nslow:NoExecute:60\n*\n*:NoExecute:60",
    "image_registries": "registry.example.com/team",
    "resources.memory_limit": "1Gi", "quota.servers": "20", "quota.memory": "16Gi",
}  # fmt: skip
"""A form in which nearly everything was typed."""


@pytest.mark.parametrize("typed", [{"ports": "8443"}, {"domains": "api.example.com"}, "preset"], ids=str)
@pytest.mark.parametrize("mode", ["none", "off", "all"])
async def test_destinations_beside_another_mode_are_refused_at_the_mode_and_none_is_lost(
    console: Console, mode: str, typed: Any
) -> None:
    typed = {f"presets.{(await preset(console)).id}": "true"} if typed == "preset" else typed
    async with reading(console, await console.person("Ann", "admin")) as reader:
        status, text, _ = await reader.post(
            "/environments/new", name="Staging", **{"ports": "443", "mode": mode, **typed}
        )
        assert status == 422
        assert "Egress must be Restricted for what is named below it" in text
        assert "egress.mode" not in text
        assert ("checked" if "true" in typed.values() else next(iter(typed.values()))) in text


async def test_its_page_says_all_its_amounts_and_taints_and_that_nothing_is_named(console: Console) -> None:
    found = await made(
        console, egress=Egress("restricted"), resources=Resources(memory="256Mi", cpu_limit="2"),
        tolerations=({"operator": "Exists"},), quota=Quota(servers=2, memory="1Gi"),
    )  # fmt: skip
    async with reading(console, await console.person("Ann", "admin")) as reader:
        text = (await reader.get(f"/environments/{found.id}"))[1]
    for said in (
        "memory set aside 256Mi, processors at most 2",
        "At most 2 servers, 1Gi of memory each",
        "nothing is named",
    ):
        assert said in text
    assert '<span class="mono">*</span>' in text


async def test_one_is_made_with_all_that_it_can_say_and_shown(console: Console) -> None:
    github = await preset(console)
    async with reading(console, await console.person("Ann", "admin")) as reader:
        assert "No environment here" in (await reader.get("/environments"))[1]
        typed = TYPED | {f"presets.{github.id}": "true"}
        status, text, where = await reader.post("/environments/new", **typed)
        assert status == 303, text
        found = await kept(console, where.removeprefix("/environments/").partition("?")[0])
        assert found is not None
        assert found.presets == (github.id,)
        domains, ports = ("api.example.com", "**.cdn.example.com"), ("443", "5432-5440")
        assert found.egress == Egress("restricted", ("203.0.113.0/24",), domains, ports)
        assert [one.get("effect") for one in found.tolerations] == ["NoSchedule", "NoExecute", None, "NoExecute"]
        _, text = await reader.get(where)
        for told in ("**.cdn.example.com", "GitHub", "pool=tools", "registry.example.com/team", "20 servers"):
            assert told in text
        assert "Production" in (await reader.get("/environments"))[1]


@pytest.mark.parametrize("named", [{"cidrs": ""}, {"domains": ""}])
async def test_what_is_named_without_a_policy_is_refused_and_not_left_out(
    console: Console, named: dict[str, str]
) -> None:
    async with reading(console, await console.person("Ann", "admin")) as reader:
        status, text, _ = await reader.post("/environments/new", **TYPED | {"mode": "none"} | named)
    assert status == 422
    assert 'id="mode-error"' in text


async def test_the_form_of_a_change_says_all_that_is_kept_and_changes_nothing_else(console: Console) -> None:
    github = await preset(console)
    async with reading(console, await console.person("Ann", "admin")) as reader:
        typed = TYPED | {f"presets.{github.id}": "true"}
        _, _, where = await reader.post("/environments/new", **typed)
        path = where.partition("?")[0]
        before = await kept(console, path.removeprefix("/environments/"))
        assert before is not None
        _, text = await reader.get(f"{path}/edit")
        for line in TYPED["tolerations"].split("\n"):
            assert line in text
        status, text, _ = await reader.post(
            f"{path}/edit", **typed | {"name": "Live", "version": str(before.version)}
        )
        assert status == 303, text
        after = await kept(console, before.id)
        assert after is not None
        assert after.name == "Live"
        assert (after.egress, after.tolerations, after.quota, after.resources, after.presets) == (
            before.egress, before.tolerations, before.quota, before.resources, before.presets,
        )  # fmt: skip


@pytest.mark.parametrize(
    ("typed", "field"),
    [
        ({"name": ""}, "name"),
        ({"cidrs": "203.0.113.7/24"}, "cidrs"),
        ({"domains": "example.com\nnot a domain"}, "domains"),
        ({"ports": "99999"}, "ports"),
        ({"node_selector": "pool"}, "node_selector"),
        ({"tolerations": "dedicated"}, "tolerations"),
        ({"quota.memory": "much"}, "quota.memory"),
        ({"quota.servers": "many"}, "quota.servers"),
        ({"resources.cpu": "one"}, "resources.cpu"),
        ({"image_registries": "https://registry.example.com"}, "image_registries"),
    ],
)
async def test_what_is_wrong_comes_back_at_its_field_with_what_was_typed(
    console: Console, typed: dict[str, str], field: str
) -> None:
    async with reading(console, await console.person("Ann", "admin")) as reader:
        status, text, _ = await reader.post("/environments/new", **TYPED | typed)
    assert status == 422
    assert f'aria-describedby="{field}-error' in text
    assert "dedicated" in text


async def test_one_that_is_in_use_is_kept_with_the_names_of_what_uses_it(console: Console) -> None:
    one = await made(console)
    await an_entry(console, "ledger", environment_id=one.id)
    async with reading(console, await console.person("Ann", "admin")) as reader:
        status, text, _ = await reader.post(f"/environments/{one.id}/delete", version=str(one.version))
        assert (status, "The entries ledger are in this environment" in text) == (409, True)
        other = await made(console, "Staging")
        _, _, where = await reader.post(f"/environments/{other.id}/delete", version=str(other.version))
    assert where == "/environments?said=environment-deleted"
    assert await kept(console, other.id) is None


async def test_nobody_is_told_of_entries_and_gateways_that_they_do_not_see(console: Console) -> None:
    one = await made(console)
    async with changing(console.pool, MAKER) as write:
        few = await teams.create(write, NewTeam(name="Few", description=""))
        theirs = {"visibility": "teams", "teams": (few.id,)}
        await gateways.create(
            write, gateway_fields(slug="hidden-way", name="Hidden", environments=(one.id,), **theirs)
        )
    await an_entry(console, "hidden-ledger", environment_id=one.id, **theirs)
    await an_entry(console, "open-ledger", environment_id=one.id)
    async with changing(console.pool, MAKER) as write:
        await changes.change(
            write, console.deps.safeguards, one.id, lambda before: replace(before, egress=Egress("off"))
        )
    for name, role, all_of_it in (("Uma", "member", False), ("Ann", "admin", True)):
        async with reading(console, await console.person(name, role)) as reader:
            _, text = await reader.get(f"/environments/{one.id}")
            _, listed = await reader.get("/environments")
        assert text.count("open-ledger") == 2, "as what is in it, and as what is shut out"
        assert ("<td>2 entries</td>" if all_of_it else "<td>1 entry</td>") in listed
        assert ("hidden-ledger" in text, "hidden-way" in text) == (all_of_it, all_of_it)


async def test_a_form_that_is_older_than_a_change_is_refused(console: Console) -> None:
    one = await made(console)
    async with reading(console, await console.person("Ann", "admin")) as reader:
        status, text, _ = await reader.post(f"/environments/{one.id}/edit", **TYPED | {"name": "X", "version": "99"})
    assert status == 412
    assert 'value="X"' in text


async def test_only_a_policy_in_a_cluster_is_probed(console: Console) -> None:
    one = await made(console, egress=Egress("off"))
    async with reading(console, await console.person("Ann", "admin")) as reader:
        assert "Probe now" not in (await reader.get(f"/environments/{one.id}"))[1]
        status, text, _ = await reader.post(f"/environments/{one.id}/probe")
    assert (status, "No servers run in a cluster here" in text) == (409, True)


async def test_who_may_only_read_is_shown_no_button_that_changes(console: Console) -> None:
    one, github = await made(console), await preset(console)
    async with reading(console, await console.person("Eva", "editor")) as reader:
        for path in ("/environments", f"/environments/{one.id}", "/egress-presets", f"/egress-presets/{github.id}"):
            status, text = await reader.get(path)
            assert status == 200
            for button in ("New environment", "New preset", "/edit", "/delete", ">Save<"):
                assert button not in text, path
        for path in ("/environments/new", f"/environments/{one.id}/edit", "/egress-presets/new"):
            assert (await reader.get(path))[0] == 404


async def test_a_preset_is_made_changed_and_deleted_once_nothing_names_it(console: Console) -> None:
    async with reading(console, await console.person("Ann", "admin")) as reader:
        assert "No preset here" in (await reader.get("/egress-presets"))[1]
        typed = {"name": "GitHub", "description": "Its API.", "cidrs": "", "domains": "api.github.com", "ports": ""}
        status, text, where = await reader.post("/egress-presets/new", **typed)
        assert (status, where) == (303, "/egress-presets?said=preset-made"), text
        async with transaction(console.pool, readonly=True) as connection:
            (one,) = await egress_presets.page(connection, limit=9, after=None)
        assert (one.domains, one.ports) == (("api.github.com",), ("443",))
        path = f"/egress-presets/{one.id}"
        status, text, _ = await reader.post(path, **typed | {"domains": "*", "version": str(one.version)})
        assert (status, 'aria-describedby="domains-error' in text) == (422, True)
        changed = typed | {"domains": "*.github.com", "version": str(one.version)}
        assert (await reader.post(path, **changed))[0] == 303
        naming = await made(console, egress=Egress("restricted"), presets=(one.id,))
        status, text, _ = await reader.post(f"{path}/delete")
        assert (status, "*.github.com" in text, "Production" in text) == (409, True, True)
        async with changing(console.pool, MAKER) as write:
            await changes.delete(write, naming.id)
        assert (await reader.post(f"{path}/delete"))[2] == "/egress-presets?said=preset-deleted"
        assert (await reader.get(path))[0] == 404


async def test_a_gateway_serves_the_environments_that_are_ticked_and_says_so(console: Console) -> None:
    one = await made(console)
    async with reading(console, await console.person("Ann", "admin")) as reader:
        typed = {"name": "Live", "slug": "live", "visibility": "organisation", f"environment:{one.id}": "true"}
        status, text, where = await reader.post("/gateways/new", **typed)
        assert status == 303, text
        path = where.partition("/tools")[0]
        assert "tools of servers in <bdi>Production</bdi> alone" in (await reader.get(path))[1]
        assert f'name="environment:{one.id}" value="true" checked' in (await reader.get(f"{path}/edit"))[1]
        assert "The gateways live serve this" in (await reader.post(f"/environments/{one.id}/delete"))[1]


async def test_what_stands_against_a_gateways_environments_is_said_above_the_list_which_scrolls(
    console: Console,
) -> None:
    one = await made(console)
    async with transaction(console.pool) as connection:
        gateway, github = await seeded.gateway(connection, "sales"), await seeded.entry(connection, "github")
        await seeded.assignment(connection, gateway, await seeded.tool(connection, github, "search"), "search")
    async with reading(console, await console.person("Ann", "admin")) as reader:
        typed = {"name": "Sales", "slug": "sales", "visibility": "organisation", f"environment:{one.id}": "true"}
        status, text, _ = await reader.post(f"/gateways/{gateway}/edit", **typed, version="1")
    assert status == 422
    assert 0 < text.index("This would leave out what the gateway shows") < text.index('name="environment:')


async def test_an_entry_moves_into_what_is_chosen_and_its_page_says_where_it_is(console: Console) -> None:
    one, entry = await made(console, egress=Egress("all")), await an_entry(console, "ledger")
    async with reading(console, await console.person("Ann", "admin")) as reader:
        changes = {"slug": "ledger", "environment_id": one.id, "version": str(entry.version)}
        status, text, _ = await reader.post(f"/registry/{entry.id}/change", **filled(**changes))
        assert status == 303, text
        _, text = await reader.get(f"/registry/{entry.id}")
    assert f'href="/environments/{one.id}"' in text
    assert "everything but link-local addresses" in text
    assert "Archway itself holds calls" in text


async def test_a_form_without_the_environment_leaves_an_entry_where_it_is(console: Console) -> None:
    one = await made(console)
    entry = await an_entry(console, "ledger", environment_id=one.id)
    async with reading(console, await console.person("Ann", "admin")) as reader:
        changes = filled(slug="ledger", version=str(entry.version))
        assert (await reader.post(f"/registry/{entry.id}/change", **changes))[0] == 303
    assert (await kept_entry(console, "ledger")).environment_id == one.id
