"""A control that runs servers in a cluster, on a real PostgreSQL: from an installation to objects, and back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import orjson
import pytest

from control.changes import idle_servers
from control.changes import server_states as changes
from control.changes.write import changing
from control.discovery.discover import SERVER
from control.hosted_servers import HostedServers, hosted_servers, safeguards_of
from control.orchestrator.identity import INSTALLATION
from control.registry.row_seals import RowSeals
from control.registry.server_state import ServerState
from control.settings import ControlSettings
from control.store import enforcement
from control.store.notifications import listen
from control.store.pool import transaction
from core.keys import new_key, parse_key_ring
from tests.control.registry_api import Api, api
from tests.fakes.no_renewals import NoRenewals
from tests.kube.fake_server import FakeKube
from tests.kube.passing import running
from tests.kube.probed_network import ProbedNetwork

__all__ = ["api"]

RUN = {"command": ["npx", "-y", "files@1.0.0"]}


@pytest.fixture
async def kube() -> AsyncIterator[FakeKube]:
    async with FakeKube(("archway", "servers")) as fake:
        yield fake


@pytest.fixture
async def hosted(api: Api, kube: FakeKube, database: str, tmp_path: Path) -> AsyncIterator[HostedServers]:
    path = tmp_path / "kubeconfig"
    path.write_bytes(orjson.dumps(kube.kubeconfig()))
    settings = ControlSettings(
        database, "redis://127.0.0.1:1/0", new_key(), new_key(), new_key(),
        "https://archway.test", runtime="cluster", kubeconfig=str(path), servers_namespace="servers",
        release_namespace="archway", base_image="registry.example/base:1",
    )  # fmt: skip

    async def keep(state: ServerState) -> None:
        async with changing(api.pool, SERVER) as write:
            await changes.keep(write, state)

    made = await hosted_servers(settings, api.pool, RowSeals(api.ring), keep, NoRenewals())
    assert made is not None
    made.start()
    async with running(listen(database, "archway_servers", made.wake)):
        yield made
    await made.close()


def test_what_is_shown_of_a_server_stands_where_the_settings_let_servers_run() -> None:
    settings = ControlSettings(
        "postgresql://localhost/archway", "redis://127.0.0.1:1/0", new_key(), new_key(), new_key(),
        "https://archway.test", runtime="cluster", servers_namespaces=("tools", "more"),
        release_namespace="platform", base_image="registry.example/base:1",
    )  # fmt: skip
    found = safeguards_of(settings, RowSeals(parse_key_ring("ARCHWAY_SECRET_KEY", new_key()))).defaults
    assert (found.namespace, found.proxies_namespace) == ("tools", "platform")


async def until(true: Callable[[], Awaitable[bool]]) -> None:
    for _ in range(3_000):
        if await true():
            return
        await asyncio.sleep(0.02)
    raise AssertionError("it never happened")


async def phase_of(api: Api, installation: Any) -> str:
    found = await api.row("select phase from server_states where installation_id = $1", installation["id"])
    return found["phase"] if found else ""


async def test_what_is_installed_runs_and_what_is_uninstalled_does_not(
    api: Api, kube: FakeKube, hosted: HostedServers
) -> None:
    entry = await api.post("/entries", {"slug": "files", "name": "Files", "kind": "self_hosted", "run": RUN})
    installed = await api.install(entry)

    async def is_ready() -> bool:
        return await phase_of(api, installed) == "ready"

    async def is_gone() -> bool:
        policies = kube.things("networkpolicies", "servers")  # the namespace's own stays
        confined = [one for one in policies if INSTALLATION in one["metadata"].get("labels", {})]
        return not kube.things("deployments", "servers") and not confined

    await until(is_ready)
    assert [line async for line in hosted.runtime.logs(installed["id"], lines=5, previous=False, follow=False)] == []
    await api.delete(f"/installations/{installed['id']}")
    await until(is_gone)


async def test_a_control_that_ends_gives_back_the_lease_and_leaves_what_runs(
    api: Api, kube: FakeKube, hosted: HostedServers
) -> None:
    entry = await api.post("/entries", {"slug": "files", "name": "Files", "kind": "self_hosted", "run": RUN})
    await api.install(entry)

    async def is_there() -> bool:
        return len(kube.things("services", "servers")) == 1

    await until(is_there)
    (lease,) = kube.things("leases", "archway")
    assert lease["spec"]["holderIdentity"] != ""
    await hosted.close()
    (lease,) = kube.things("leases", "archway")
    assert lease["spec"]["holderIdentity"] == ""
    assert len(kube.things("deployments", "servers")) == 1


async def test_what_runs_is_kept_on_the_base_image_that_it_began_with(
    api: Api, kube: FakeKube, hosted: HostedServers
) -> None:
    entry = await api.post("/entries", {"slug": "files", "name": "Files", "kind": "self_hosted", "run": RUN})
    installed = await api.install(entry)

    async def is_there() -> bool:
        return len(kube.things("deployments", "servers")) == 1

    await until(is_there)
    kept = await api.row("select base_image from installations where id = $1", installed["id"])
    assert kept["base_image"] == "registry.example/base:1"


async def test_one_that_is_asleep_has_no_pod_until_a_call_and_its_template_never_changes(
    api: Api, kube: FakeKube, hosted: HostedServers
) -> None:
    run = RUN | {"idle_minutes": 5}
    entry = await api.post("/entries", {"slug": "files", "name": "Files", "kind": "self_hosted", "run": run})
    installed = await api.install(entry)

    async def phase_is(phase: str) -> bool:
        return await phase_of(api, installed) == phase

    await until(lambda: phase_is("ready"))
    (awake,) = kube.things("deployments", "servers")
    others = len(kube.things("services", "servers")), len(kube.things("networkpolicies", "servers"))
    async with changing(api.pool, SERVER) as write:
        await idle_servers.count(write)
        await write.execute("update idle_servers set dozes_since = now()")
        assert await idle_servers.fall_asleep(write, installed["id"])

    async def has_pods(number: int) -> bool:
        return len(kube.things("pods", "servers")) == number

    await until(lambda: has_pods(0))
    (asleep,) = kube.things("deployments", "servers")
    assert (asleep["spec"]["replicas"], asleep["spec"]["template"]) == (0, awake["spec"]["template"])
    assert (len(kube.things("services", "servers")), len(kube.things("networkpolicies", "servers"))) == others
    await until(lambda: phase_is("asleep"))
    async with changing(api.pool, SERVER) as write:
        assert await idle_servers.use(write, installed["id"])
    await until(lambda: phase_is("ready"))
    (again,) = kube.things("deployments", "servers")
    assert (again["spec"], await has_pods(1)) == (awake["spec"], True)


async def test_an_environment_is_probed_when_it_gets_a_policy_and_when_somebody_asks(
    api: Api, kube: FakeKube, hosted: HostedServers
) -> None:
    network = ProbedNetwork(kube)
    staging = await api.post("/environments", {"name": "Staging", "egress": {"mode": "off"}})

    async def state() -> str:
        found = await api.row("select state from egress_enforcement where environment_id = $1", staging["id"])
        return found["state"] if found else ""

    async def is_enforced() -> bool:
        return await state() == "enforced"

    async def is_not_enforced() -> bool:
        return await state() == "not_enforced"

    await until(is_enforced)
    network.enforces = False
    async with transaction(api.pool) as connection:
        await enforcement.ask_again(connection, staging["id"])
    await until(is_not_enforced)
    assert [one["metadata"]["name"] for one in kube.things("pods", "servers")] == []


async def test_what_the_cluster_can_hold_is_found_and_kept_and_forgotten_where_there_is_none(
    api: Api, kube: FakeKube, hosted: HostedServers
) -> None:
    async def is_known() -> bool:
        row = await api.row("select found from cluster_capabilities")
        return row is not None and row["found"]["provider"] == "kubernetes"

    await until(is_known)
    refused = await api.post("/egress-presets", {"name": "X", "domains": ["a.example.com"]}, expect=422)
    assert "holds networks only" in str(refused)
    elsewhere = ControlSettings("", "", new_key(), new_key(), new_key(), "https://archway.test")
    report = hosted.wake  # never called: nothing runs
    assert await hosted_servers(elsewhere, api.pool, RowSeals(api.ring), report, NoRenewals()) is None  # type: ignore[arg-type]
    assert await api.row("select found from cluster_capabilities") is None
    await api.post("/egress-presets", {"name": "X", "domains": ["a.example.com"]})
