"""Five real clients, as they were frozen, sign a person in."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import aiohttp
import pytest

from control.changes import oauth_clients
from control.changes.write import changing
from control.http.listener import listen
from control.oauth.clients.described import described
from control.public.app import build_app
from control.public.deps import PublicDeps
from control.public_listener import PARTS
from core.egress.addresses import AddressPolicy, parse_networks
from core.egress.client import Egress
from tests.fakes.own_authority import issue
from tests.fakes.scripted_names import ScriptedNames
from tests.fakes.scripted_upstream import ScriptedUpstream, ok
from tests.fixtures_people import NOBODY, PASSWORD, People
from tests.oauth.client_shapes import SHAPES, Shape
from tests.oauth.flow import Flow, claims_of
from tests.proxy.conftest import eventually

HOST = "documents.example"


@asynccontextmanager
async def known(shape: Shape, flow: Flow, deps: PublicDeps, folder: Path) -> AsyncIterator[tuple[Flow, str]]:
    """The client as it makes itself known: its identifier, and a way through a server that can read its document."""
    if shape.by == "registration":
        times = 2 if shape.registers_twice else 1
        made = await asyncio.gather(*(flow.register(**shape.says) for _ in range(times)))
        assert len({client["client_id"] for client in made}) == 1
        yield flow, made[0]["client_id"]
        return
    certificate = issue(folder, HOST)
    said = dict(shape.says)

    def document(_request: bytes) -> list[bytes]:
        return [ok(json.dumps(said).encode(), b"Content-Type: application/json", b"Cache-Control: max-age=600")]

    policy = AddressPolicy(parse_networks("127.0.0.0/8"))
    async with (
        ScriptedUpstream(document, tls=certificate.server) as host,
        Egress(policy, ca_bundle=certificate.pem, resolver=ScriptedNames(["127.0.0.1"])) as egress,
        aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as program,
    ):
        said["client_id"] = f"https://{HOST}:{host.port}/client-metadata"
        runner, port = await listen(build_app(replace(deps, egress=egress), PARTS), "127.0.0.1", 0)
        people = People(deps.pool, f"http://127.0.0.1:{port}", flow.people._ending)
        reading = Flow(people, program, await people.browser())
        assert (await reading.browser.sign_in(flow.ann["email"], PASSWORD)).status == 303
        yield reading, said["client_id"]
        await runner.cleanup()


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.name)
async def test_a_real_clients_shape_signs_a_person_in(
    shape: Shape, flow: Flow, public_deps: PublicDeps, tmp_path: Path
) -> None:
    async with known(shape, flow, public_deps, tmp_path) as (way, client_id):
        client = {"client_id": client_id}
        page = await way.browser.get(await way.consent_path(client_id, redirect_uri=shape.redirect, **shape.asks))
        tokens = await way.signed_in(client, redirect_uri=shape.redirect, **shape.asks)

        assert shape.says["client_name"] in page.words
        assert claims_of(tokens["access_token"])["client_id"] == client_id
        for _ in range(2 if shape.refreshes_at_once else 1):
            answer = await way.refresh(client, tokens["refresh_token"])
            assert answer.status == 200, answer.body
        assert await way.living_families() == 1


async def test_two_who_come_at_once_with_a_document_that_nobody_used_before_are_both_asked(
    flow: Flow, public_deps: PublicDeps, tmp_path: Path
) -> None:
    shape = SHAPES[0]

    async def somebody_waits() -> bool:
        return bool(await flow.people.rows("select 1 from pg_locks where not granted"))

    async with known(shape, flow, public_deps, tmp_path) as (way, client_id), asyncio.TaskGroup() as group:
        async with changing(flow.pool, NOBODY) as other:
            await oauth_clients.keep_document(other, client_id, described(shape.says, unnamed=""))
            asking = group.create_task(way.consent_path(client_id, redirect_uri=shape.redirect))
            await eventually(somebody_waits)
        assert (await asking).startswith("/consent/")
