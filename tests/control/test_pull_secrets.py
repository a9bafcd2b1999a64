"""Image pull secrets through the admin API, and what runs with them, on a real PostgreSQL."""

import json
from typing import Any

from control.servers.wanted import PullSecret
from tests.control.registry_api import Api, api
from tests.control.test_entries_that_we_run import to_run, versions
from tests.control.test_every_operation import give

__all__ = ["api"]

RUN = {"transport": "http", "image": "registry.example/server:1"}


async def kept(api: Api, **changes: Any) -> Any:
    body = {"name": "Ours", "registry": "registry.example", "username": "robot", "password": "s3cr3t-password"}
    return await api.post("/pull-secrets", {**body, **changes})


async def entry_with(api: Api, *pull_secrets: Any, expect: int = 201, **changes: Any) -> Any:
    run = {**RUN, "pull_secrets": [one["id"] for one in pull_secrets]}
    return await api.post("/entries", {"slug": "server", "name": "Server", "run": run, **changes}, expect=expect)


async def test_a_password_is_sealed_and_never_told_again(api: Api) -> None:
    made = await kept(api)
    assert (made["registry"], made["username"], made["team_id"]) == ("registry.example", "robot", None)
    assert "password" not in made
    assert await api.get(f"/pull-secrets/{made['id']}") == made
    assert "s3cr3t-password" not in await api.everything_as_text()


async def test_servers_are_run_with_all_that_their_entry_names_in_its_order(api: Api) -> None:
    ours = await kept(api)
    mirror = await kept(
        api, name="Mirror", kind="cluster", secret_name="mirror-pull", registry="", username="", password=None
    )
    installation = await api.install(await entry_with(api, mirror, ours))
    found = await to_run(api, installation)
    assert found is not None
    cluster, registry = found.pull_secrets
    assert cluster == PullSecret(name="mirror-pull")
    assert registry.name == f"pull-{ours['id']}"
    auths = json.loads(registry.docker_config)["auths"]
    assert auths["registry.example"]["password"] == "s3cr3t-password"
    assert "s3cr3t-password" not in repr(found)


async def test_another_password_is_given_to_what_runs(api: Api) -> None:
    ours = await kept(api)
    installation = await api.install(await entry_with(api, ours))
    word = (await versions(api))[installation["id"]]
    await api.patch(f"/pull-secrets/{ours['id']}", {"password": "s3cr3t-newer"})
    assert (await versions(api))[installation["id"]] != word
    found = await to_run(api, installation)
    assert found is not None
    assert "s3cr3t-newer" in found.pull_secrets[0].docker_config
    assert "s3cr3t" not in await api.everything_as_text()


async def test_a_password_does_not_follow_to_another_registry(api: Api) -> None:
    path = f"/pull-secrets/{(await kept(api))['id']}"
    answer = await api.admin.send("PATCH", path, {"registry": "evil.example"}, match=await api.admin.etag(path))
    assert (answer.status, answer.json["errors"][0]["field"]) == (422, "password")


async def test_one_that_an_entry_names_is_not_deleted(api: Api) -> None:
    ours = await kept(api)
    entry = await entry_with(api, ours)
    refused = await api.delete(f"/pull-secrets/{ours['id']}", expect=409)
    assert "server" in refused["detail"]
    await api.patch(f"/entries/{entry['id']}", {"run": {"pull_secrets": []}})
    await api.delete(f"/pull-secrets/{ours['id']}")
    assert (await api.get("/pull-secrets"))["items"] == []


async def test_a_teams_are_seen_by_its_members_and_by_whoever_sees_all(api: Api) -> None:
    red, blue = await api.team("Red"), await api.team("Blue")
    await kept(api, name="Reds", team_id=red["id"])
    await kept(api, name="Ours")
    for person, names in (
        (await api.user("rita", red), ["Reds"]),
        (await api.user("bob", blue), []),
        (api.admin, ["Ours", "Reds"]),
    ):
        assert [one["name"] for one in (await api.get("/pull-secrets", as_=person))["items"]] == names


async def test_a_member_changes_none_and_a_teams_editor_those_of_the_team(api: Api) -> None:
    red = await api.team("Red")
    member, editor = await api.user("mia", red), await api.user("eva", red, role="editor")
    body = {"name": "Reds", "registry": "registry.example", "username": "robot", "password": "p"}
    await api.post("/pull-secrets", {**body, "team_id": red["id"]}, as_=member, expect=403)
    await api.post("/pull-secrets", body, as_=editor, expect=403)
    await api.post("/pull-secrets", {**body, "team_id": red["id"]}, as_=editor)
    cluster = {"name": "Any", "kind": "cluster", "secret_name": "of-another-team", "team_id": red["id"]}
    await api.post("/pull-secrets", cluster, as_=editor, expect=403)


async def test_only_an_entry_of_the_team_names_what_is_the_teams(api: Api) -> None:
    red, blue = await api.team("Red"), await api.team("Blue")
    reds = await kept(api, name="Reds", team_id=red["id"])
    for team_id in (None, blue["id"]):
        refused = await entry_with(api, reds, team_id=team_id, expect=422)
        assert refused["errors"][0]["field"] == "run.pull_secrets[0]"
        assert "belongs to a team" in refused["errors"][0]["message"]
    await entry_with(api, reds, team_id=red["id"])


async def test_nobody_names_what_they_may_not_see(api: Api) -> None:
    red = await api.team("Red")
    ours, editor = await kept(api), await api.user("eva", red, role="editor")
    body = {"slug": "x", "name": "X", "run": {**RUN, "pull_secrets": [ours["id"]]}, "team_id": red["id"]}
    refused = await api.post("/entries", body, as_=editor, expect=403)
    assert "entry:run" in refused["detail"]
    await give(api, editor, "Runner", frozenset({"entry:run"}), None)
    refused = await api.post("/entries", body, as_=editor, expect=422)
    assert "that you may see" in refused["errors"][0]["message"]


async def test_two_have_not_one_name(api: Api) -> None:
    await kept(api)
    refused = await api.post(
        "/pull-secrets", {"name": "OURS", "registry": "a.example", "username": "u", "password": "p"}, expect=409
    )
    assert refused["errors"][0]["field"] == "name"
