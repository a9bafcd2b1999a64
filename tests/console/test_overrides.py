"""The page of what an entry says over its server's Deployment: tried, refused by line, saved as it was written."""

from __future__ import annotations

from collections.abc import AsyncIterator
from html import unescape

import pytest

from control.registry.entry import Entry
from control.registry.self_hosted import SelfHosted
from control.servers.runtime import Refused
from control.store import entries
from control.store.pool import Pool, transaction
from tests.console.registry_seeds import an_entry
from tests.console.serving import Console, console_served, reading
from tests.fakes.logged_runtime import LoggedRuntime
from tests.fixtures_redis import RedisServer

TEXT = "  # where disks are fast\n  spec: {template: {spec: {nodeSelector: {disk: ssd}}}}\n"


@pytest.fixture
def runtime() -> LoggedRuntime:
    return LoggedRuntime("cluster")


@pytest.fixture
async def running(pool: Pool, redis_server: RedisServer, runtime: LoggedRuntime) -> AsyncIterator[Console]:
    async with console_served(pool, redis_server.url, runtime) as served:
        yield served


@pytest.fixture
async def ours(running: Console) -> Entry:
    return await an_entry(running, "files", reached=SelfHosted(command=("npx", "-y", "some-server@1.2.3")))


async def kept(console: Console, entry: Entry) -> str:
    async with transaction(console.pool, readonly=True) as connection:
        found = await entries.one(connection, entry.id)
    assert found is not None
    assert isinstance(found.reached, SelfHosted)
    return found.reached.override


async def test_it_is_tried_before_it_is_saved(running: Console, ours: Entry) -> None:
    path = f"/registry/{ours.id}/override"
    async with reading(running, await running.person("Ann", "admin")) as reader:
        status, text, _ = await reader.post(path, override=TEXT, version=str(ours.version), **{"try": "true"})
        assert (status, await kept(running, ours)) == (200, "")
        assert "+        disk: ssd" in unescape(text)
        status, _, where = await reader.post(path, override=TEXT, version=str(ours.version))
        assert (status, where) == (303, f"/registry/{ours.id}?said=saved")
        assert await kept(running, ours) == TEXT
        _, text = await reader.get(path)
        assert f"\n{TEXT}</textarea>" in unescape(text)
        assert "what YAML says" in (await reader.get(f"/registry/{ours.id}"))[1]


async def test_what_is_refused_is_told_by_line_and_path_beside_what_was_typed(running: Console, ours: Entry) -> None:
    wrong = "spec:\n  replicas: 3\n"
    async with reading(running, await running.person("Ann", "admin")) as reader:
        status, text, _ = await reader.post(
            f"/registry/{ours.id}/override", override=wrong, version=str(ours.version)
        )
    assert (status, await kept(running, ours)) == (422, "")
    assert "<strong>Line 2</strong> <code>spec.replicas</code>" in text
    assert wrong in unescape(text)
    assert 'aria-invalid="true"' in text


async def test_the_form_of_the_entry_leaves_it_as_it_is(running: Console, ours: Entry) -> None:
    async with reading(running, await running.person("Ann", "admin")) as reader:
        await reader.post(f"/registry/{ours.id}/override", override=TEXT, version=str(ours.version))
        form = {
            "name": "Other", "slug": "files", "kind": "self_hosted", "credential_model": "none",
            "visibility": "organisation", "isolation": "principal", "run.transport": "stdio",
            "run.command": "npx -y some-server@1.2.3", "version": str(ours.version + 1),
        }  # fmt: skip
        status, text, _ = await reader.post(f"/registry/{ours.id}/change", **form)
        assert (status, await kept(running, ours)) == (303, TEXT), text


async def test_what_the_cluster_says_is_told(running: Console, ours: Entry, runtime: LoggedRuntime) -> None:
    path = f"/registry/{ours.id}/override"
    async with reading(running, await running.person("Ann", "admin")) as reader:
        runtime.says = Refused("refused_by_cluster", "exceeded quota: small")
        status, text, _ = await reader.post(path, override=TEXT, version=str(ours.version))
        assert (status, "is not taken by the cluster: exceeded quota: small." in unescape(text)) == (422, True)
        runtime.says = "It was not tried out."
        _, _, where = await reader.post(path, override=TEXT, version=str(ours.version))
        assert where == f"/registry/{ours.id}?said=override-not-tried"


async def test_of_a_server_that_runs_elsewhere_there_is_none(running: Console) -> None:
    entry = await an_entry(running, "elsewhere")
    async with reading(running, await running.person("Ann", "admin")) as reader:
        status, text = await reader.get(f"/registry/{entry.id}/override")
        assert (status, "goes with a server that Archway runs" in text) == (422, True)
        assert "/override" not in (await reader.get(f"/registry/{entry.id}"))[1]


async def test_nobody_without_the_permission_sees_it(running: Console, ours: Entry) -> None:
    async with reading(running, await running.person("Ed", "editor")) as reader:
        assert (await reader.get(f"/registry/{ours.id}/override"))[0] == 404
        assert "/override" not in (await reader.get(f"/registry/{ours.id}"))[1]


async def test_programs_before_a_server_with_secrets_are_refused_with_the_command_that_gives_these_again(
    running: Console,
) -> None:
    run = SelfHosted(command=("npx", "-y", "some-server@1.2.3"))
    entry = await an_entry(running, "wiki", reached=run, run_secrets={"TOKEN": "abc"})
    before = "spec: {template: {spec: {initContainers: [{name: a, image: registry.example.com/a:1}]}}}"
    async with reading(running, await running.person("Ann", "admin")) as reader:
        status, text, _ = await reader.post(f"/registry/{entry.id}/override", override=before, version="1")
    assert status == 422
    assert "Its secrets were given for run:base npx -y some-server@1.2.3; give them again for the new image" in text
    assert "archway entries update wiki --override override.yaml --run-secret TOKEN" in text
    assert before in unescape(text)
