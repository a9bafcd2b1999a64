"""Servers that Archway runs, through the admin API: how each does, restarting one, and its log."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import aiohttp
import pytest

from archway.admin.installations import why_not_ready
from archway.admin.names import SERVER_WORDS, with_standings
from control.admin.deps import LOG_READERS, LOGS_OF_ONE, Deps
from control.changes import idle_servers, server_states
from control.changes.write import changing
from control.discovery.discover import SERVER
from control.discovery.server_reports import ServerReports
from control.registry.server_causes import CAUSES
from core.identifiers import new_id
from tests.control.registry_api import Api, api
from tests.fakes.logged_runtime import LoggedRuntime
from tests.fakes.registry import a_server_state

__all__ = ["api"]


@pytest.fixture
def runtime() -> LoggedRuntime:
    return LoggedRuntime(lines=[b"one\n", b"two\n", b"three\n"], before=[b"Traceback\n"])


@pytest.fixture
async def deps(deps: Deps, runtime: LoggedRuntime) -> Deps:
    return replace(deps, runtime=runtime)


@pytest.fixture
async def installed(api: Api) -> dict[str, Any]:
    body = {"slug": "files", "name": "Files", "kind": "self_hosted", "run": {"command": ["npx", "-y", "files@1.0.0"]}}
    return await api.install(await api.post("/entries", body))


async def report(api: Api, installed: dict[str, Any], **changes: Any) -> Any:
    """Keep this report, and read the installation."""
    async with changing(api.pool, SERVER) as write:
        assert await server_states.keep(write, a_server_state(installation_id=installed["id"], **changes))
    return await api.get(f"/installations/{installed['id']}")


async def test_an_installation_of_a_server_that_we_run_is_about_to_start(installed: dict[str, Any]) -> None:
    assert (installed["state"], installed["runs"]["phase"], installed["runs"]["is_latest"]) == (
        "new",
        "pending",
        False,
    )
    assert "is not ready (about to start)" in why_not_ready(installed)


async def test_an_installation_of_a_remote_server_runs_nothing(api: Api) -> None:
    assert (await api.install(await api.entry()))["runs"] is None


@pytest.mark.parametrize(
    ("phase", "cause", "message"),
    [
        ("pulling", "image_pull", 'failed to resolve "registry.test/files:9": 401 Unauthorized'),
        ("failed", "image_name", 'couldn\'t parse image name "Files:1"'),
        ("failed", "pull_secret_missing", "one of the entry's image pull secrets was deleted"),
        ("failed", "secret_missing", 'secret "mcp-files-12345678-g3" not found'),
        ("pending", "unschedulable", "0/3 nodes are available: 3 Insufficient memory."),
        ("failed", "refused_by_cluster", 'pods "mcp-files" is forbidden: exceeded quota'),
        ("failed", "namespace_closed", "tools-b is none of ARCHWAY_SERVERS_NAMESPACES, which are tools"),
        ("failed", "image_not_allowed", "hub.test/files:1 is from none of registry.test"),
        ("failed", "egress_not_possible", "nothing in this cluster holds rules about domains"),
        ("failed", "override", "spec.template.spec.hostNetwork may not be said"),
        ("failed", "crashed", "exit code 1: KeyError: 'HOME'"),
        ("failed", "out_of_memory", "OOMKilled, exit code 137"),
        ("starting", "not_answering", "connection refused"),
        ("failed", "no_such_program", 'exec: "flies": executable file not found in $PATH'),
        ("failed", "bad_output", "Listening on port 3000"),
        ("failed", "starting_too_long", "after 300 s"),
        ("failed", "runtime_away", "dial tcp 10.0.0.1:443: i/o timeout"),
        ("failed", "not_permitted", "'Production' is restricted"),
        ("failed", "configuration", "values.folder: is needed"),
        ("failed", "not_signed_in", "Its provider does not know this sign-in any more. invalid_grant"),
        ("failed", "no_token", "the provider answered 503"),
    ],
)
async def test_each_cause_is_told_with_its_cure(
    api: Api, installed: dict[str, Any], phase: str, cause: str, message: str
) -> None:
    shown = await report(api, installed, phase=phase, cause=cause, message=message, endpoint="", restarts=3)
    told = shown["runs"]
    assert (told["phase"], told["cause"], told["message"], told["restarts"]) == (phase, cause, message, 3)
    assert told["sentence"] == CAUSES[cause].sentence
    assert told["cure"].split("NAME")[0][:20] == CAUSES[cause].cure[:20]
    (listed,) = with_standings(None, [shown])  # type: ignore[arg-type]
    assert (listed["standing"], listed["cause"]) == (
        SERVER_WORDS.get(phase, phase), f"{told['sentence']} {message}",
    )  # fmt: skip
    assert listed["standing"] != "pending"
    assert listed["cure"] == told["cure"]
    assert told["sentence"] in why_not_ready(shown)


async def test_each_cause_has_a_row_above() -> None:
    rows = {row[1] for row in test_each_cause_is_told_with_its_cure.pytestmark[0].args[1]}  # type: ignore[attr-defined]
    assert rows == set(CAUSES) - {"no_runtime"}


async def test_where_nothing_runs_servers_every_one_of_them_says_so(
    api: Api, installed: dict[str, Any], runtime: LoggedRuntime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Deps, "place", None)
    told = (await api.get(f"/installations/{installed['id']}"))["runs"]
    assert (told["place"], told["phase"], told["cause"]) == (None, "failed", "no_runtime")
    assert (told["sentence"], told["cure"]) == CAUSES["no_runtime"]


async def test_a_server_that_answers_says_what_it_is(api: Api, installed: dict[str, Any]) -> None:
    told = (await report(api, installed, resolved={"packages": [["files", "1.0.0"]]}, generation=9))["runs"]
    assert (told["phase"], told["isolation"], told["endpoint"]) == ("ready", "user", "http://127.0.0.1:40001/mcp")
    assert (told["resolved"], told["is_latest"], told["sentence"], told["cure"]) == (
        {"packages": [["files", "1.0.0"]]}, True, "", "",
    )  # fmt: skip


async def test_a_changed_answer_is_told_as_not_running_until_it_does(api: Api) -> None:
    body = {
        "slug": "files", "name": "Files", "kind": "self_hosted", "run": {"command": ["npx", "-y", "files@1.0.0"]},
        "fields": [{"name": "token", "type": "secret", "variable": "TOKEN"}],
    }  # fmt: skip
    installed = await api.install(await api.post("/entries", body), values={"token": "one"})
    assert (await report(api, installed, generation=1))["runs"]["is_latest"]
    changed = await api.patch(f"/installations/{installed['id']}", {"values": {"token": "two"}})
    assert (changed["runs"]["phase"], changed["runs"]["is_latest"]) == ("ready", False)
    assert (await report(api, installed, generation=2))["runs"]["is_latest"]


async def test_a_server_that_becomes_ready_is_asked_and_its_tools_are_there(
    api: Api, installed: dict[str, Any], deps: Deps
) -> None:
    reports = ServerReports(api.pool, deps.discoverer)
    await reports.take(a_server_state(installation_id=installed["id"]))
    for _ in range(3_000):
        found = await api.get(f"/installations/{installed['id']}")
        if found["state"] == "ready":
            break
        await asyncio.sleep(0.01)
    assert (found["state"], found["server"]["tools"]) == ("ready", 2)
    tools = await api.get(f"/entries/{found['entry_id']}/tools")
    assert {tool["name"] for tool in tools["items"]} == {"now", "convert"}
    asked = api.proxy.questions[-1].installation
    assert (asked.kind, asked.url) == ("process", "http://127.0.0.1:40001/mcp")
    await reports.close()


async def test_a_restart_is_a_wish_that_its_runtime_sees(api: Api, installed: dict[str, Any]) -> None:
    path = f"/installations/{installed['id']}"
    await report(api, installed)
    assert (await api.post(f"{path}/restart", expect=200))["runs"]["phase"] == "ready"
    row = await api.row("select restarts_wanted from installations where id = $1", installed["id"])
    assert row["restarts_wanted"] == 1
    newest = (await api.get("/audit"))["items"][0]
    assert (newest["action"], newest["after"]) == ("update", {"restarts_wanted": 1})


async def test_a_remote_server_is_neither_restarted_nor_read(api: Api) -> None:
    path = f"/installations/{(await api.install(await api.entry()))['id']}"
    for refused in (await api.post(f"{path}/restart", expect=409), await api.get(f"{path}/logs", expect=409)):
        assert "is not run by Archway" in refused["detail"]


async def test_where_nothing_runs_servers_none_is_restarted_or_read(
    api: Api, installed: dict[str, Any], deps: Deps, monkeypatch: pytest.MonkeyPatch
) -> None:
    object.__setattr__(deps, "runtime", None)
    path = f"/installations/{installed['id']}"
    for refused in (await api.post(f"{path}/restart", expect=409), await api.get(f"{path}/logs", expect=409)):
        assert refused["detail"] == " ".join(CAUSES["no_runtime"])


async def test_who_may_not_change_an_installation_neither_restarts_it_nor_reads_its_log(
    api: Api, installed: dict[str, Any]
) -> None:
    anna = await api.user("anna")
    path = f"/installations/{installed['id']}"
    await api.post(f"{path}/restart", expect=403, as_=anna)
    await api.get(f"{path}/logs", expect=403, as_=anna)
    await api.get(f"/installations/{new_id()}/logs", expect=404)


@pytest.mark.parametrize(
    ("query", "log"),
    [("", b"one\ntwo\nthree\n"), ("?lines=2", b"two\nthree\n"), ("?previous=true", b"Traceback\n")],
)
async def test_a_log_is_text(api: Api, installed: dict[str, Any], query: str, log: bytes) -> None:
    answer = await api.admin.get(f"/installations/{installed['id']}/logs{query}")
    assert (answer.status, answer.body) == (200, log)
    assert answer.headers["Content-Type"].startswith("text/plain")


async def test_a_log_is_followed_as_it_is_written(
    api: Api, installed: dict[str, Any], runtime: LoggedRuntime
) -> None:
    url = f"{api.admin.url}/api/v1/installations/{installed['id']}/logs"
    headers, query = {"Authorization": f"Bearer {api.admin.token}"}, {"follow": "true", "lines": "1"}
    async with (
        aiohttp.ClientSession() as session,
        session.get(url, headers=headers, params=query) as answer,
    ):
        assert await answer.content.readline() == b"three\n"
        runtime.later.put_nowait(b"four\n")
        assert await answer.content.readline() == b"four\n"


async def test_a_place_that_cannot_be_asked_for_a_log_says_why(
    api: Api, installed: dict[str, Any], runtime: LoggedRuntime
) -> None:
    runtime.away = "the API server does not answer"
    told = await api.get(f"/installations/{installed['id']}/logs", expect=503)
    assert runtime.away in told["detail"]
    followed = await api.admin.get(f"/installations/{installed['id']}/logs?follow=true")
    assert (followed.status, runtime.away in followed.body.decode()) == (200, True)


async def test_no_more_than_so_many_logs_are_read_at_once(api: Api, installed: dict[str, Any], deps: Deps) -> None:
    path = f"/installations/{installed['id']}/logs"
    for readers in (["somebody"] * LOG_READERS, [str(api.admin.user["id"])] * LOGS_OF_ONE):
        deps.log_readers[:] = readers
        assert "try again" in (await api.get(path, expect=503))["detail"]
    deps.log_readers.pop()
    assert (await api.admin.get(path)).status == 200
    assert len(deps.log_readers) == LOGS_OF_ONE - 1


@pytest.mark.parametrize("lines", ["0", "5001", "x"])
async def test_too_many_lines_are_not_asked_for(api: Api, installed: dict[str, Any], lines: str) -> None:
    await api.get(f"/installations/{installed['id']}/logs?lines={lines}", expect=422)


async def test_one_that_is_asleep_is_told_as_fine_with_since_when_and_a_restart_wakes_it(
    api: Api, installed: dict[str, Any]
) -> None:
    await report(api, installed)
    async with changing(api.pool, SERVER) as write:
        await idle_servers.use(write, installed["id"])
        await write.execute("update idle_servers set asleep_since = now()")
        await write.announce()
        write.observed()
    shown = await report(api, installed, phase="asleep", endpoint="")
    told = shown["runs"]
    assert (told["phase"], told["sentence"], told["cure"], told["wakes"]) == ("asleep", "", "", 0)
    assert told["asleep_since"] >= told["called_at"]
    (listed,) = with_standings(None, [shown])  # type: ignore[arg-type]
    assert (listed["standing"], listed["cause"], why_not_ready(shown | {"state": "ready"})) == (
        "asleep until a call",
        "",
        "",
    )
    again = (await api.post(f"/installations/{installed['id']}/restart", {}, expect=200))["runs"]
    assert (again["asleep_since"], again["wakes"]) == (None, 1)


async def test_who_asks_what_one_offers_wakes_it_and_what_nobody_asks_for_does_not(
    api: Api, installed: dict[str, Any], deps: Deps
) -> None:
    await report(api, installed)
    async with changing(api.pool, SERVER) as write:
        await idle_servers.use(write, installed["id"])
        await write.execute("update idle_servers set asleep_since = now()")
        await write.announce()
        write.observed()
    await report(api, installed, phase="asleep", endpoint="")
    await deps.discoverer.discover(installed["id"])
    assert (await api.get(f"/installations/{installed['id']}"))["runs"]["wakes"] == 0
    asked = await api.post(f"/installations/{installed['id']}/discover", {}, expect=200)
    assert (asked["runs"]["asleep_since"], asked["runs"]["wakes"]) == (None, 1)
