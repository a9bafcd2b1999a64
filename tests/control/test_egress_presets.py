"""Egress presets through the admin API, and what a cluster cannot hold, on a real PostgreSQL."""

from __future__ import annotations

from typing import Any

import pytest

from control.registry.egress_providers import ClusterFound
from control.store import cluster_capabilities, environments
from control.store.pool import Pool, transaction
from tests.control.registry_api import JSON, Api, api

__all__ = ["api"]
NAMES = {"mode": "restricted", "domains": ["api.example.com"]}


async def preset(api: Api, **said: Any) -> JSON:
    made: JSON = await api.post("/egress-presets", {"name": "GitHub", "domains": ["API.GitHub.com"]} | said)
    return made


async def cluster(pool: Pool, provider: Any) -> None:
    """Servers run in a cluster of this provider; None: nobody has looked yet."""
    async with transaction(pool) as connection:
        await cluster_capabilities.keep(connection, ClusterFound(provider=provider))


async def test_a_preset_is_made_changed_and_deleted_and_the_trail_says_so(api: Api) -> None:
    made = await preset(api)
    assert (made["domains"], made["ports"], made["cidrs"]) == (["api.github.com"], ["443"], [])
    changed = await api.patch(f"/egress-presets/{made['id']}", {"cidrs": ["10.0.0.0/8"]})
    assert (changed["cidrs"], changed["version"]) == (["10.0.0.0/8"], 2)
    assert await api.get("/egress-presets?name=GITHUB") == {"items": [changed], "next": None}
    await api.post("/egress-presets", {"name": "github", "domains": ["a.example.com"]}, expect=409)
    await api.delete(f"/egress-presets/{made['id']}")
    await api.get(f"/egress-presets/{made['id']}", expect=404)
    lines = (await api.get("/audit?object_kind=egress_preset"))["items"]
    assert [line["action"] for line in lines] == ["delete", "update", "create"]


async def test_one_that_an_environment_names_is_not_deleted_and_the_refusal_names_it(api: Api) -> None:
    made = await preset(api)
    body = {"name": "Payments", "egress": {"mode": "restricted"}, "presets": [made["id"]]}
    where = await api.post("/environments", body)
    refused = await api.delete(f"/egress-presets/{made['id']}", expect=409)
    assert "Payments" in str(refused)
    await api.patch(f"/environments/{where['id']}", {"presets": []})
    await api.delete(f"/egress-presets/{made['id']}")


async def test_environments_that_are_looked_up_together_allow_each_its_own_presets(api: Api, pool: Pool) -> None:
    github, files = await preset(api), await preset(api, name="Files", domains=["files.example.com"])
    for name, named in (("One", [github]), ("Both", [files, github]), ("None", [])):
        body = {"name": name, "egress": {"mode": "restricted"}, "presets": [each["id"] for each in named]}
        await api.post("/environments", body)
    async with transaction(pool, readonly=True) as connection:
        found = await environments.with_a_policy(connection)
        rules = await environments.rules_by_id(connection, found)
    allowed = {one.name: {host for group in rules[one.id].groups for host in group.domains} for one in found}
    one, both = {"api.github.com"}, {"api.github.com", "files.example.com"}
    assert allowed == {"One": one, "Both": both, "None": set()}


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"domains": ["*.com"]}, "domains"),
        ({"cidrs": ["169.254.169.254/32"]}, "cidrs"),
        ({"ports": ["0"]}, "ports"),
        ({"domains": []}, "domains"),
    ],
)
async def test_a_mistake_is_refused_by_its_field(api: Api, said: JSON, field: str) -> None:
    refused = await api.post("/egress-presets", {"name": "X", "domains": ["a.example.com"]} | said, expect=422)
    assert [one["field"] for one in refused["errors"]] == [field]


@pytest.mark.parametrize(("provider", "said"), [("kubernetes", "holds networks only"), (None, "not known yet")])
async def test_names_that_the_cluster_cannot_hold_are_refused_where_they_are_saved(
    api: Api, pool: Pool, provider: Any, said: str
) -> None:
    made = await preset(api)
    await cluster(pool, provider)
    refused = await api.post("/egress-presets", {"name": "X", "domains": ["a.example.com"]}, expect=422)
    assert (refused["errors"][0]["field"], said in refused["errors"][0]["message"]) == ("domains", True)
    refused = await api.post("/environments", {"name": "Y", "egress": NAMES}, expect=422)
    assert (refused["errors"][0]["field"], said in refused["errors"][0]["message"]) == ("egress.domains", True)
    body = {"name": "Y", "egress": {"mode": "restricted"}, "presets": [made["id"]]}
    refused = await api.post("/environments", body, expect=422)
    assert (refused["errors"][0]["field"], "'GitHub'" in refused["errors"][0]["message"]) == ("presets", True)
    await api.post("/environments", {"name": "Y", "egress": {"mode": "restricted", "cidrs": ["10.0.0.0/8"]}})


async def test_what_a_cluster_could_hold_once_may_be_changed_elsewhere_and_not_there(api: Api, pool: Pool) -> None:
    where = await api.post("/environments", {"name": "Y", "egress": NAMES})
    await cluster(pool, "kubernetes")
    await api.patch(f"/environments/{where['id']}", {"name": "Z"})
    await api.patch(f"/environments/{where['id']}", {"egress": {"ports": ["8443"]}}, expect=422)
    await api.patch(f"/environments/{where['id']}", {"egress": {"mode": "off"}})
