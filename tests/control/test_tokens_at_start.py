"""Programs over stdio with an account's token in their environment: on a real database, with a real provider's tokens
and real children, and in a cluster.
"""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

import aiohttp
import orjson
import pytest

from control.accounts.renewals import Renewals
from control.admin.deps import Deps
from control.changes import server_states as changes
from control.changes.write import changing
from control.discovery.discover import SERVER
from control.hosted_servers import hosted_servers
from control.processes import turns
from control.registry.row_seals import RowSeals
from control.registry.server_state import ServerState
from control.settings import ControlSettings
from control.store.notifications import listen
from control.store.pool import transaction
from core.keys import new_key
from core.tasks import Tasks
from tests.control.registry_api import Api, api
from tests.fakes.bridged import ENVELOPE, MODERN, child
from tests.fakes.rotating_provider import CLIENT, SECRET, Fault, RotatingProvider
from tests.kube.fake_server import FakeKube
from tests.kube.passing import running

__all__ = ["api"]

T = TypeVar("T")
FAKES = Path(__file__).resolve().parents[1] / "fakes"


async def until(told: Callable[[], Awaitable[T]]) -> T:
    """What it tells, once that is something."""
    for _ in range(3_000):
        if found := await told():
            return found
        await asyncio.sleep(0.02)
    raise AssertionError("it never happened")


class Scene:
    """A control that runs servers, and what a proxy and an operator do with it."""

    def __init__(self, api: Api, renewals: Renewals, provider: RotatingProvider) -> None:
        self.api, self.renewals, self.provider = api, renewals, provider
        self.http = aiohttp.ClientSession()
        self.calls = Tasks("calls")
        self.servers = Path()
        """The folder of those that are processes."""

    async def entry(self, **credential: Any) -> Any:
        run = {"command": child("modern")}
        return await self.api.post("/entries", {"slug": "crm", "name": "CRM", "run": run, **credential})

    async def installed(self, **placement: Any) -> str:
        """One with a client of its own."""
        place = {"issuer": self.provider.url, "resource": "omit", "variable": "CRM_TOKEN", **placement}
        entry = await self.entry(credential_model="client_credentials", credential_placement=place)
        made = await self.api.install(entry, values={"client_id": CLIENT}, credential=SECRET)
        return str(made["id"])

    async def renewed(self, installation_id: str) -> None:
        """The next token of its account, as in the background."""
        version = (await self.account(installation_id))["version"]
        came = await self.renewals.run(installation_id, version, self.provider.endpoint)
        assert came.refusal is None

    async def account(self, installation_id: str) -> Any:
        return await self.api.row("select * from accounts where installation_id = $1", installation_id)

    async def state(self, installation_id: str) -> Any:
        found = await self.api.row("select * from server_states where installation_id = $1", installation_id)
        return found or {"phase": "", "cause": "", "endpoint": "", "generation": 0}

    async def until(self, installation_id: str, **wanted: Any) -> Any:
        """How it does, once it does so."""

        async def so() -> Any:
            state = await self.state(installation_id)
            return state if all(state[name] == value for name, value in wanted.items()) else None

        try:
            return await until(so)
        except AssertionError:
            raise AssertionError(f"{wanted} never was; it is {await self.state(installation_id)}") from None

    async def moved(self, installation_id: str, before: str) -> str:
        """The endpoint, once it is another one that answers."""

        async def another() -> str:
            at = str((await self.state(installation_id))["endpoint"])
            return "" if at == before else at

        return await until(another)

    async def gone(self, endpoint: str) -> None:
        """Return once nothing listens there."""

        async def is_gone() -> bool:
            try:
                async with self.http.get(endpoint):
                    return False
            except aiohttp.ClientConnectionError:
                return True

        assert await until(is_gone)

    async def execute(self, statement: str, *values: Any) -> None:
        async with transaction(self.api.pool) as connection:
            await connection.execute(statement, *values)

    async def call(self, installation_id: str, endpoint: str, tool: str, **arguments: Any) -> str:
        row = await self.api.row("select bridge_token from installations where id = $1", installation_id)
        token = RowSeals(self.api.ring).open_bridge_token(installation_id, row["bridge_token"])
        params = {"name": tool, "arguments": arguments, "_meta": ENVELOPE}
        headers = {
            "Authorization": f"Bearer {token}", "MCP-Protocol-Version": MODERN, "Mcp-Method": "tools/call",
            "Mcp-Name": tool,
        }  # fmt: skip
        body = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}
        async with self.http.post(endpoint, json=body, headers=headers) as answer:
            said = await answer.json()
        assert "result" in said, said
        return str(said["result"]["content"][0]["text"])

    async def token(self, installation_id: str, endpoint: str) -> str:
        """The one that its program has."""
        return str(json.loads(await self.call(installation_id, endpoint, "environment"))["CRM_TOKEN"])


@pytest.fixture
async def provider() -> AsyncIterator[RotatingProvider]:
    async with RotatingProvider() as made:
        yield made


@asynccontextmanager
async def serving(
    api: Api, deps: Deps, provider: RotatingProvider, database: str, settings: ControlSettings
) -> AsyncIterator[Scene]:
    renewals = Renewals(api.pool, deps.upstream.asker, RowSeals(api.ring))
    scene = Scene(api, renewals, provider)

    async def keep(state: ServerState) -> None:
        async with changing(api.pool, SERVER) as write:
            await changes.keep(write, state)

    hosted = await hosted_servers(settings, api.pool, RowSeals(api.ring), keep, renewals)
    assert hosted is not None
    hosted.start()
    async with running(listen(database, "archway_servers", hosted.wake)):
        yield scene
    await scene.calls.close()
    await scene.http.close()
    await hosted.close()
    await renewals.close()


@pytest.fixture
async def here(
    api: Api, deps: Deps, provider: RotatingProvider, database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Scene]:
    """With processes of this machine."""
    monkeypatch.setattr(turns, "LEARN_S", 0.01)
    (tmp_path / "state").mkdir(mode=0o700)
    settings = ControlSettings(
        database, "redis://127.0.0.1:1/0", new_key(), new_key(), new_key(), "http://127.0.0.1:8400",
        runtime="process", servers_folder=str(tmp_path / "state" / "servers"), servers_may_read=(str(FAKES),),
    )  # fmt: skip
    async with serving(api, deps, provider, database, settings) as scene:
        scene.servers = Path(settings.servers_folder)
        yield scene


async def test_a_renewed_token_reaches_the_program_by_a_new_start_and_no_call_is_cut(here: Scene) -> None:
    crm = await here.installed()
    first = (await here.until(crm, phase="ready"))["endpoint"]
    token = await here.token(crm, first)
    assert here.provider.takes(token) == "client"

    held = here.calls.spawn("held", here.call(crm, first, "hold", text=token))

    async def is_held() -> bool:
        return '"hold"' in await here.call(crm, first, "seen")

    assert await until(is_held)
    await here.renewed(crm)
    second = await here.moved(crm, first)

    renewed = await here.token(crm, second)
    assert (here.provider.takes(renewed), renewed != token) == ("client", True)
    assert await here.token(crm, first) == token, "what is called where it was is answered as it was"
    await here.call(crm, first, "release")
    assert await held == token
    await here.gone(first)
    assert await here.token(crm, second) == renewed


async def test_a_token_in_a_file_is_another_file_for_the_next_program(here: Scene) -> None:
    crm = await here.installed(variable="", file="crm.token")
    before = (await here.until(crm, phase="ready"))["endpoint"]
    folder = here.servers / "homes" / crm
    (first,) = [path.read_text() for path in folder.glob("secrets*/crm.token")]
    await here.renewed(crm)
    await here.moved(crm, before)
    await here.gone(before)

    async def left_alone() -> list[str]:
        kept = [path.read_text() for path in folder.glob("secrets*/crm.token")]
        return kept if len(kept) == 1 else []

    (second,) = await until(left_alone)
    assert here.provider.takes(second) == here.provider.takes(first) == "client"
    assert second != first


async def test_without_a_new_token_nothing_runs_with_one_that_has_ended_and_with_one_it_starts_again(
    here: Scene,
) -> None:
    crm = await here.installed()
    first = (await here.until(crm, phase="ready"))["endpoint"]
    here.provider.faults += [Fault.DOWN] * 2
    await here.execute("update accounts set expires_at = now() where installation_id = $1", crm)
    state = await here.until(crm, phase="failed", cause="no_token", endpoint="")
    assert "nobody has to sign in again" in state["message"]
    await here.gone(first)
    here.provider.faults.clear()
    await here.execute("update accounts set refresh_at = now() - interval '1 s' where installation_id = $1", crm)
    await here.renewed(crm)
    again = await here.until(crm, phase="ready")
    assert here.provider.takes(await here.token(crm, again["endpoint"])) == "client"


async def test_a_client_that_its_provider_takes_no_longer_ends_its_program_and_another_secret_begins_it(
    here: Scene,
) -> None:
    crm = await here.installed()
    first = (await here.until(crm, phase="ready"))["endpoint"]
    here.provider.faults += [Fault.NO_CLIENT] * 2
    came = await here.renewals.run(crm, 1, here.provider.endpoint)
    assert came.refusal is not None
    await here.until(crm, phase="failed", cause="not_signed_in", endpoint="")
    await here.gone(first)
    await here.api.patch(f"/installations/{crm}", {"credential": SECRET})
    await here.until(crm, phase="ready")


async def test_a_person_who_signs_in_begins_it_and_one_who_takes_the_account_away_ends_it(here: Scene) -> None:
    entry = await here.entry(
        credential_model="oauth",
        credential_placement={
            "registration": "own", "client_id": CLIENT, "issuer": here.provider.url, "resource": "omit",
            "variable": "CRM_TOKEN",
        },
        client_secret=SECRET,
    )  # fmt: skip
    crm = (await here.api.install(entry))["id"]
    await here.until(crm, phase="failed", cause="not_signed_in")
    seen = 0
    for _ in range(2):
        given = {"access_token": "of-ann", "refresh_token": here.provider.signs_in("ann"), "expires_in": 3_600}
        await here.api.call("PUT", f"/installations/{crm}/account", given, expect=200)
        ready = await here.until(crm, phase="ready")
        assert ready["generation"] > seen, "proxies know a later one by that"
        assert await here.token(crm, ready["endpoint"]) == "of-ann"
        seen = ready["generation"]
        await here.api.call("DELETE", f"/installations/{crm}/account", expect=204)
        await here.until(crm, phase="failed", cause="not_signed_in")
        await here.gone(ready["endpoint"])


async def test_in_a_cluster_the_next_token_is_another_secret_whose_pod_is_ready_before_the_one_before_goes(
    api: Api, deps: Deps, provider: RotatingProvider, database: str, tmp_path: Path
) -> None:
    async with FakeKube(("archway", "servers")) as kube:
        path = tmp_path / "kubeconfig"
        path.write_bytes(orjson.dumps(kube.kubeconfig()))
        settings = ControlSettings(
            database, "redis://127.0.0.1:1/0", new_key(), new_key(), new_key(),
            "https://archway.test", runtime="cluster", kubeconfig=str(path), servers_namespace="servers",
            release_namespace="archway", base_image="registry.example/base:1",
        )  # fmt: skip

        def tokens() -> list[str]:
            """Those that the pods of now are started with, of the provider's client."""
            found = []
            for pod in kube.things("pods", "servers"):
                wanted = {one["name"]: one for one in pod["spec"]["containers"][0]["env"]}["CRM_TOKEN"]
                key = wanted["valueFrom"]["secretKeyRef"]
                (held,) = [one for one in kube.things("secrets", "servers") if one["metadata"]["name"] == key["name"]]
                found.append(base64.b64decode(held["data"][key["key"]]).decode())
            return found

        async with serving(api, deps, provider, database, settings) as scene:
            crm = await scene.installed()
            await scene.until(crm, phase="ready")
            (first,) = tokens()
            assert provider.takes(first) == "client"
            await scene.renewed(crm)

            async def another() -> list[str]:
                return [one for one in tokens() if one != first]

            (second,) = await until(another)
            assert provider.takes(second) == "client"
            (deployment,) = kube.things("deployments", "servers")
            assert deployment["spec"]["template"]["spec"]["terminationGracePeriodSeconds"] == 630
            assert deployment["spec"]["strategy"]["rollingUpdate"]["maxUnavailable"] == 0


@pytest.mark.parametrize(
    ("placement", "more", "field", "said"),
    [
        ({}, {}, "credential_placement.variable", "or file is needed"),
        ({"variable": "MODE"}, {}, "credential_placement", "is already filled by the entry's environment"),
        ({"variable": "KEY"}, {}, "credential_placement", "is already filled by"),
        (
            {"variable": "T"}, {"fields": [{"name": "t", "variable": "T"}]}, "fields[0].variable",
            "is already filled by the credential",
        ),
        (
            {"variable": "T"}, {"run": {"transport": "http", "image": "registry.example/crm:1"}},
            "credential_placement.variable", "is for a program over stdio",
        ),
    ],
    ids=["no place", "of the environment", "of a secret", "of a field", "over HTTP"],
)  # fmt: skip
async def test_a_place_that_another_source_fills_or_that_nobody_reads_is_refused(
    api: Api, provider: RotatingProvider, placement: Any, more: Any, field: str, said: str
) -> None:
    body = {
        "slug": "crm", "name": "CRM",
        "run": {"command": ["npx", "crm@1.0.0"], "environment": {"MODE": "x"}}, "run_secrets": {"KEY": "v"},
        "credential_model": "client_credentials",
        "credential_placement": {"issuer": provider.url, "resource": "omit", **placement}, **more,
    }  # fmt: skip
    answer = await api.admin.send("POST", "/entries", body)
    assert (answer.status, said in answer.problem(field)) == (422, True), answer.json
