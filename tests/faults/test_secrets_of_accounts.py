"""No secret of an account, of a client or of an installation gets anywhere but where it belongs (row X-1).

A whole deployment, its logs at their most talkative, goes through what happens to accounts: signing in, calls,
renewals, a server that asks for more access, servers and a provider that repeat in their errors what they were sent,
entries that are made to lead elsewhere over the API, on the command line and on a page, and the end. Each secret is
remembered; then each place is looked through, and each request that anybody got.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from typing import Any

import pytest
import pytest_asyncio

from tests.fakes.mcp_upstream import McpUpstream
from tests.fakes.telltale_provider import Ledger, TelltaleProvider
from tests.faults.secret_scene import EXPIRE, WITHIN_S, Scene, echo, new_browsers
from tests.fixtures_postgres import Server
from tests.fixtures_program import eventually
from tests.fixtures_redis import everything_in
from tests.fixtures_system import running_system

pytestmark = pytest.mark.asyncio(loop_scope="module")

ANOTHER = "another secret than the one before"
RESTED = "update accounts set refresh_at = now() - interval '1 s', refresh_until = null"
OLD = "update accounts set refreshed_at = now() - interval '1 hour'"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def scene(postgres: Server, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Scene]:
    async with AsyncExitStack() as ending:
        folder = tmp_path_factory.mktemp("system")
        system = await ending.enter_async_context(
            running_system(folder, postgres, proxies=2, people=0, soft_age=1.0, log_level="DEBUG")
        )
        ledger, servers = Ledger(), ("server", "keyed server", "a server elsewhere")
        providers = [
            await ending.enter_async_context(TelltaleProvider(ledger, name))
            for name in ("provider", "a provider elsewhere")
        ]
        upstreams = {one: await ending.enter_async_context(McpUpstream(era="modern")) for one in servers}
        made = Scene(system, ledger, *providers, upstreams, new_browsers(system, ending))
        await made.set_up()
        await made.install_everything()
        yield made


async def test_a_token_is_renewed_though_its_provider_repeats_what_it_was_asked_with(scene: Scene) -> None:
    scene.provider.echoes.append("/token")
    await scene.execute(EXPIRE)
    await scene.until("mine", "provider_away")
    await scene.execute(RESTED)
    for entry, installation in scene.installations.items():
        await scene.api("POST", f"/installations/{installation}/discover", {})
        await scene.until(entry, "ok")
    assert scene.what_is_misplaced() == []


@pytest.mark.parametrize(
    ("says", "status"),
    [
        (echo(401, WWW_Authenticate='Bearer error="invalid_token"'), "upstream_credential"),
        (echo(403, WWW_Authenticate='Bearer error="insufficient_scope", scope="write"'), "needs_sign_in"),
        (echo(500), "upstream_status"),
    ],
    ids=["401", "403 that asks for more", "500"],
)
async def test_a_server_that_repeats_what_it_was_sent_makes_nobody_else_hear_of_it(
    scene: Scene, says: Any, status: str
) -> None:
    await scene.execute(OLD)
    scene.says = says
    try:
        await scene.until("mine", status)
        for entry in ("robot", "keyed"):
            await scene.call(entry)
            await scene.api("POST", f"/installations/{scene.installations[entry]}/discover", {})
    finally:
        scene.says = None
    await scene.execute(RESTED)
    for entry, installation in scene.installations.items():
        await scene.api("POST", f"/installations/{installation}/discover", {})
        await scene.until(entry, "ok")
    assert scene.what_is_misplaced() == []


async def test_a_sign_in_for_more_access_sends_each_secret_where_the_first_one_did(scene: Scene) -> None:
    installation = scene.installations["mine"]
    assert await scene.connect(f"/install/mine?installation={installation}") == installation
    await scene.until("mine", "ok")
    assert scene.what_is_misplaced() == []


def to_another_server(scene: Scene) -> dict[str, Any]:
    return {"url": scene.servers["a server elsewhere"].url, "client_secret": ANOTHER}


def to_another_resource(scene: Scene) -> dict[str, Any]:
    return {"credential_placement": {**scene.placement, "resource": scene.servers["a server elsewhere"].url}}


def to_another_issuer(scene: Scene) -> dict[str, Any]:
    return {"credential_placement": {**scene.placement, "issuer": scene.elsewhere.url}, "client_secret": ANOTHER}


def to_another_token_endpoint(scene: Scene) -> dict[str, Any]:
    placement = {**scene.placement, "token_endpoint": f"{scene.elsewhere.url}/token"}
    return {"credential_placement": placement, "client_secret": ANOTHER}


def robot_to_another_issuer(scene: Scene) -> dict[str, Any]:
    return {"credential_placement": {**scene.robot_placement, "issuer": scene.elsewhere.url}}


def robot_to_another_token_endpoint(scene: Scene) -> dict[str, Any]:
    return {"credential_placement": {**scene.robot_placement, "token_endpoint": f"{scene.elsewhere.url}/token"}}


def robot_that_sends_its_key_as_a_secret(scene: Scene) -> dict[str, Any]:
    return {"credential_placement": {**scene.robot_placement, "client_authentication": "client_secret_post"}}


def key_to_another_server(scene: Scene) -> dict[str, Any]:
    return {"url": scene.servers["a server elsewhere"].url}


def key_in_another_header(_: Scene) -> dict[str, Any]:
    return {"credential_placement": {"style": "header", "header": "x-log"}}


@pytest.mark.parametrize(
    ("entry", "way", "changes"),
    [
        ("mine", "api", to_another_server),
        ("mine", "cli", to_another_resource),
        ("mine", "page", to_another_issuer),
        ("mine", "api", to_another_token_endpoint),
        ("mine", "page", to_another_token_endpoint),
        ("robot", "cli", robot_to_another_issuer),
        ("robot", "page", robot_to_another_token_endpoint),
        ("robot", "api", robot_that_sends_its_key_as_a_secret),
        ("keyed", "page", key_to_another_server),
        ("keyed", "page", key_in_another_header),
    ],
)
async def test_nothing_follows_an_entry_that_is_made_to_lead_elsewhere(
    scene: Scene, entry: str, way: str, changes: Callable[[Scene], dict[str, Any]]
) -> None:
    """Tokens have ended, so that they would have to be renewed; and where the entry goes back, all is as it was."""
    changed = changes(scene)
    await scene.change(entry, way, changed)
    await scene.until(entry, "needs_sign_in")
    await scene.execute(EXPIRE)
    await scene.execute(RESTED)
    shown = await scene.api("POST", f"/installations/{scene.installations[entry]}/discover", {})
    assert shown["state"] == "needs_sign_in"
    assert (await scene.call(entry)).status == "needs_sign_in"
    assert scene.what_is_misplaced() == []
    await scene.change(entry, "api", scene.as_it_was(entry, changed))
    await scene.until(entry, "ok")
    assert scene.what_is_misplaced() == []


async def test_tokens_that_are_given_back_go_to_their_provider_alone(scene: Scene) -> None:
    """Also where it answers with an error that repeats them; once by taking the account away, once by deleting."""
    place = scene.provider.place("/revoke")
    scene.note_what_servers_got()
    await scene.api("DELETE", f"/installations/{scene.installations['mine']}/account")
    await scene.until("mine", "needs_sign_in")
    await came_to(scene, place, 1)
    scene.installations["mine"] = await scene.connect(f"/install/mine?installation={scene.installations['mine']}")
    await scene.until("mine", "ok")
    before = len(scene.ledger.came[place])
    scene.provider.echoes.append("/revoke")
    await scene.api("DELETE", f"/installations/{scene.installations['mine']}?cascade=true")
    await scene.until("mine", "credential_missing")
    await came_to(scene, place, before + 1)
    assert scene.what_is_misplaced() == []


async def came_to(scene: Scene, place: str, count: int) -> None:
    async def so_many() -> bool:
        return len(scene.ledger.came.get(place, [])) >= count

    await eventually(so_many, WITHIN_S, f"{count} requests come to the {place}")


SENT = (
    "access token", "refresh token", "client secret", "authorization code", "PKCE verifier", "state", "assertion",
    "static key",
)  # fmt: skip
KEPT = ("ID token", "claim of an ID token", "private key")


@pytest.mark.parametrize(
    "kind", [pytest.param(one, id=f"X-1: {one} towards a server or its provider") for one in SENT]
)
async def test_what_is_sent_comes_to_its_own_place_and_to_no_other(scene: Scene, kind: str) -> None:
    """That it comes there is half of this: else all tests of this file would pass whatever happened."""
    scene.note_what_servers_got()
    assert kind in scene.ledger.arrived()
    assert [hit for hit in scene.ledger.misplaced() if f"'{kind} " in hit] == []


@pytest.mark.parametrize("kind", [pytest.param(one, id=f"X-1: {one} that is never sent") for one in KEPT])
async def test_what_is_only_kept_comes_to_nobody(scene: Scene, kind: str) -> None:
    scene.note_what_servers_got()
    assert kind in {what for what, _ in scene.ledger.secrets.values()}
    assert [hit for hit in scene.ledger.misplaced() if f"'{kind} " in hit] == []


async def test_no_secret_is_in_an_answer_a_page_or_what_the_command_line_prints(scene: Scene) -> None:
    for entry, installation in scene.installations.items():
        shown = [f"/registry/{scene.entries[entry]['id']}", f"/registry/{scene.entries[entry]['id']}/change"]
        for path in (*shown, f"/installations/{installation}", f"/install/{entry}"):
            await scene.page(path)
    for path in ("/my/connections", "/activity", "/registry", "/installations"):
        await scene.page(path)
    for path in ("/entries", "/installations", "/audit", "/records", "/sign-ins"):
        await scene.api("GET", path)
    await scene.cli("installations", "list", "--json")
    assert scene.ledger.found_in("an answer", "\n".join(scene.said)) == []


async def test_no_secret_is_in_a_log_a_file_or_a_metric(scene: Scene) -> None:
    found = scene.files()
    for name in ("control-0.log", "proxy-0.log", "proxy-1.log"):
        assert found[name], name
    found["metrics"] = await scene.metrics()
    assert b"archway_account_renewals_total" in found["metrics"]
    assert [hit for name, content in found.items() for hit in scene.ledger.found_in(name, content)] == []


async def test_no_secret_is_in_redis(scene: Scene) -> None:
    """Snapshots, news, records and copies of what workers remember."""
    found = everything_in(scene.system.redis)
    assert b"robot" in found
    assert scene.ledger.found_in("Redis", found) == []


async def test_no_secret_can_be_read_in_the_database(scene: Scene) -> None:
    rows = await scene.rows()
    assert scene.installations["robot"] in rows
    assert scene.ledger.found_in("a row", rows) == []


async def test_no_secret_is_in_a_command_line_or_an_environment(scene: Scene) -> None:
    found = scene.processes()
    assert b"ARCHWAY_SECRET_KEY" in found
    assert scene.ledger.found_in("a process", found) == []
