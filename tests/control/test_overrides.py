"""What an entry says over its server's Deployment, through the admin API: kept as it is written, judged at once."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from control.admin.deps import Deps
from control.registry.row_seals import RowSeals
from control.servers import wanting
from control.servers.runtime import Refused
from control.servers.tokens_at_start import TokensAtStart
from control.store.pool import transaction
from tests.control.registry_api import Api, api
from tests.fakes.logged_runtime import LoggedRuntime
from tests.fakes.no_renewals import NoRenewals

__all__ = ["api"]

TEXT = """\
# To the machines with fast disks.
spec:
  template:
    spec:
      nodeSelector: {disk: ssd}
"""
REFUSED = "spec:\n  template:\n    spec:\n      hostNetwork: true\n"
BEFORE = "spec: {template: {spec: {initContainers: [{name: a, image: %s}]}}}"
RUN = {"command": ["npx", "-y", "files@1.0.0"]}


@pytest.fixture
def runtime() -> LoggedRuntime:
    return LoggedRuntime(place="cluster")


@pytest.fixture
async def deps(deps: Deps, runtime: LoggedRuntime) -> Deps:
    return replace(deps, runtime=runtime)


async def made(api: Api, *, expect: int = 201, override: str = TEXT, **changes: Any) -> Any:
    run = {**RUN, "override": override}
    body = {"slug": "files", "name": "Files", "kind": "self_hosted", "run": run, **changes}
    return await api.post("/entries", body, expect=expect)


async def overridden(api: Api, entry: Any, text: str, *, expect: int = 200) -> Any:
    return await api.patch(f"/entries/{entry['id']}", {"run": {"override": text}}, expect=expect)


async def previewed(api: Api, entry: Any, text: str | None, *, expect: int = 200) -> Any:
    return await api.post(f"/entries/{entry['id']}/override/preview", {"override": text}, expect=expect)


async def test_it_is_kept_as_it_was_written_and_stands_in_the_audit_trail(api: Api) -> None:
    entry = await made(api)
    assert entry["run"]["override"] == TEXT
    await overridden(api, entry, "")
    (latest, *_) = (await api.get("/audit"))["items"]
    assert (latest["before"]["run"]["override"], latest["after"]["run"]["override"]) == (TEXT, "")


async def test_all_that_is_refused_is_told_at_its_field(api: Api) -> None:
    refused = await made(api, override=REFUSED, expect=422)
    (error,) = refused["errors"]
    assert error["field"] == "run.override"
    assert error["message"].startswith("line 4: spec.template.spec.hostNetwork ")
    entry = await made(api)
    assert "hostNetwork" in (await overridden(api, entry, REFUSED, expect=422))["detail"]


async def test_an_entry_that_it_no_longer_goes_with_is_refused(api: Api) -> None:
    text = "spec: {template: {spec: {containers: [{name: server, env: [{name: MODE, value: a}]}]}}}"
    entry = await made(api, override=text)
    change = {"run": {"environment": {"MODE": "b"}}}
    refused = await api.patch(f"/entries/{entry['id']}", change, expect=422)
    assert "is set by the entry or by Archway already" in refused["detail"]


async def test_it_goes_with_a_server_that_we_run(api: Api) -> None:
    entry = await api.entry()
    assert "goes with a server that Archway runs" in (await previewed(api, entry, TEXT, expect=422))["detail"]
    body = {"slug": "b", "name": "B", "url": "https://b.example/mcp", "run": {**RUN, "override": TEXT}}
    await api.post("/entries", {**body, "kind": "remote"}, expect=422)


async def test_only_who_holds_the_permission_says_changes_or_takes_it_away(api: Api) -> None:
    entry, runner = await made(api), await api.user("rob")
    role = await api.post("/roles", {"name": "Runners", "permissions": ["entry:create", "entry:update", "entry:run"]})
    path = f"/roles/{role['id']}/holders/{runner.user['id']}"
    await api.call("PUT", path, {"team_id": None}, expect=200, tag="*")
    for text in ("", TEXT + "\n"):
        answer = await runner.send(
            "PATCH", f"/entries/{entry['id']}", {"run": {"override": text}}, match=f'"{entry["version"]}"'
        )
        assert (answer.status, "entry:override" in answer.json["detail"]) == (403, True)
    renamed = await runner.send("PATCH", f"/entries/{entry['id']}", {"name": "X"}, match=f'"{entry["version"]}"')
    assert renamed.status == 200


async def test_secrets_are_given_again_for_other_programs_before_the_server(api: Api) -> None:
    entry = await made(api, override=BEFORE % "a/b:1", run_secrets={"KEY": "s3cr3t"})
    await overridden(api, entry, BEFORE % "a/b:1" + "\n# a word more")
    refused = await overridden(api, entry, BEFORE % "a/b:2", expect=422)
    assert refused["errors"][0]["field"] == "run_secrets"


async def test_what_it_makes_is_shown_before_it_is_saved(api: Api) -> None:
    entry = await made(api, run_secrets={"KEY": "s3cr3t"})
    found = await previewed(api, entry, None)
    assert found["refused"] == []
    assert "+        disk: ssd" in found["differences"]
    assert "s3cr3t" not in found["deployment"]
    found = await previewed(api, entry, REFUSED)
    assert [(one["path"], one["line"]) for one in found["refused"]] == [("spec.template.spec.hostNetwork", 4)]
    assert (await previewed(api, entry, ""))["differences"] == ""


async def test_a_cluster_is_asked_whether_it_takes_it(api: Api, runtime: LoggedRuntime) -> None:
    runtime.says = Refused("refused_by_cluster", 'violates PodSecurity "restricted:latest"')
    refused = await made(api, expect=422)
    assert "run.override: is not taken by the cluster: violates PodSecurity" in refused["detail"]
    runtime.says = "It was not tried out."
    entry = await made(api)
    assert "It was not tried out." in entry["warnings"]
    runtime.tried.clear()
    await api.patch(f"/entries/{entry['id']}", {"name": "Other"})
    await overridden(api, entry, "")
    assert runtime.tried == []


async def test_nothing_of_the_rehearsal_is_kept(api: Api, runtime: LoggedRuntime) -> None:
    runtime.says = Refused("refused_by_cluster", "no")
    await made(api, expect=422)
    assert (await api.get("/entries"))["items"] == []
    assert [one.override for one in runtime.tried] == [TEXT]


async def test_it_leads_to_no_nodes_of_a_restricted_environment(api: Api) -> None:
    live = {"name": "Live", "restricted": True, "node_selector": {"disk": "ssd"}}
    place = await api.post("/environments", live)
    refused = await made(api, expect=422)
    assert "leads to nodes of the restricted environment 'Live'" in refused["detail"]
    refused = await made(api, environment_id=place["id"], expect=422)
    assert "is said by the restricted environment 'Live'" in refused["detail"]


async def test_an_environment_that_changes_under_it_ends_its_server(api: Api) -> None:
    entry = await made(api)
    installation = await api.install(entry)
    await api.post("/environments", {"name": "Live", "restricted": True, "node_selector": {"disk": "ssd"}})
    with pytest.raises(Refused, match=r"spec\.template\.spec\.nodeSelector\.disk leads to nodes") as refused:
        async with transaction(api.pool) as connection:
            await wanting.load(connection, RowSeals(api.ring), TokensAtStart(NoRenewals()), installation["id"])
    assert refused.value.cause == "override"
