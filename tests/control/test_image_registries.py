"""Where the images of servers may come from, over the admin API and at each look at what runs.

K-4: an image is a reference and nothing else, its registry no metadata service, its pull secret no other team's.
"""

from __future__ import annotations

import pytest

from control.servers.runtime import Refused
from tests.control.registry_api import JSON, Api, api
from tests.control.test_entries_that_we_run import to_run

__all__ = ["api"]

OURS = "registry.example.com/team"
RUN = {"transport": "http", "image": f"{OURS}/server:1"}


async def environment(api: Api, name: str = "Payments", *registries: str) -> JSON:
    made: JSON = await api.post("/environments", {"name": name, "image_registries": list(registries)})
    return made


async def entry(api: Api, where: JSON | None, image: str = "", expect: int = 201) -> JSON:
    body = {"slug": "server", "name": "Server", "run": {**RUN, **({"image": image} if image else {})}}
    made: JSON = await api.post("/entries", {**body, "environment_id": where and where["id"]}, expect=expect)
    return made


async def test_an_entry_is_put_into_an_environment_with_an_image_that_is_let_in_there(api: Api) -> None:
    payments = await environment(api, "Payments", OURS)
    refused = await entry(api, payments, "registry.example.com/other/server:1", expect=422)
    assert refused["errors"][0]["field"] == "run.image"
    assert OURS in refused["detail"]
    assert "'Payments'" in refused["detail"]
    await entry(api, payments)


async def test_neither_another_image_nor_another_environment_gets_one_in_that_is_not_let_in(api: Api) -> None:
    payments, vault = await environment(api, "Payments", OURS), await environment(api, "Vault", "vault.example.com")
    path = f"/entries/{(await entry(api, payments))['id']}"
    for change in ({"run": {"image": "evil.example/server:1"}}, {"environment_id": vault["id"]}):
        assert (await api.patch(path, change, expect=422))["errors"][0]["field"] == "run.image"
    await api.patch(path, {"environment_id": None})
    await api.patch(path, {"run": {"image": "evil.example/server:1"}})
    assert (await api.patch(path, {"environment_id": payments["id"]}, expect=422))["errors"][0][
        "field"
    ] == "run.image"


async def test_the_base_image_and_servers_that_run_elsewhere_are_in_order_everywhere(api: Api) -> None:
    payments = await environment(api, "Payments", OURS)
    run = {"command": ["npx", "-y", "@scope/server@1.2.3"]}
    await api.post("/entries", {"slug": "base", "name": "Base", "run": run, "environment_id": payments["id"]})
    await api.entry(environment_id=payments["id"])


async def test_where_registries_are_named_afterwards_the_server_is_refused_at_the_next_look(api: Api) -> None:
    payments = await environment(api)
    made = await entry(api, payments)
    installation = await api.install(made)
    assert await to_run(api, installation) is not None
    path = f"/environments/{payments['id']}"
    await api.patch(path, {"image_registries": ["other.example.com"]})
    with pytest.raises(Refused, match="must come from other") as refused:
        await to_run(api, installation)
    assert refused.value.cause == "image_not_allowed"
    # What stays as it is can be saved.
    await api.patch(f"/entries/{made['id']}", {"name": "Other"})
    await api.patch(path, {"image_registries": ["other.example.com", OURS]})
    assert await to_run(api, installation) is not None


@pytest.mark.parametrize(
    "image",
    [
        pytest.param("evil@registry.example.com/team/server:1", id="K-4: image evil@..."),
        pytest.param("169.254.169.254/team/server:1", id="K-4: registry host 169.254.169.254"),
        pytest.param("0xa9.0xfe.0xa9.0xfe:80/server:1", id="K-4: registry host 169.254.169.254-spelled otherwise"),
    ],
)
async def test_an_image_that_is_none_or_of_a_metadata_service_is_refused_when_the_entry_is_saved(
    api: Api, image: str
) -> None:
    refused = await entry(api, None, image, expect=422)
    assert [one["field"] for one in refused["errors"]] == ["run.image"]


@pytest.mark.parametrize(
    "registry",
    [
        pytest.param("169.254.169.254", id="K-4: registry host 169.254.169.254-of a pull secret"),
        pytest.param("2852039166", id="K-4: registry host 169.254.169.254-of a pull secret, as a number"),
        pytest.param("[fd00:ec2::254]:443", id="K-4: registry host 169.254.169.254-of a pull secret, in IPv6"),
    ],
)
async def test_a_credential_is_kept_for_no_metadata_service(api: Api, registry: str) -> None:
    body = {"name": "Ours", "registry": registry, "username": "robot", "password": "p"}
    refused = await api.post("/pull-secrets", body, expect=422)
    assert [one["field"] for one in refused["errors"]] == ["registry"]


@pytest.mark.parametrize("scope", [pytest.param("team", id="K-4: pull secret of another team")])
async def test_an_entry_names_no_pull_secret_of_another_team(api: Api, scope: str) -> None:
    blue, red = await api.team("Blue"), await api.team("Red")
    body = {"name": "Blues", "registry": "registry.example.com", "username": "robot", "password": "p"}
    of_blue = await api.post("/pull-secrets", {**body, "team_id": blue["id"]})
    run = {**RUN, "pull_secrets": [of_blue["id"]]}
    for team_id in (None, red["id"]):
        new = {"slug": "server", "name": "Server", "run": run, "team_id": team_id}
        refused = await api.post("/entries", new, expect=422)
        assert [one["field"] for one in refused["errors"]] == ["run.pull_secrets[0]"], scope
