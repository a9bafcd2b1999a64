"""What an admin is told of the provider of an entry: what it says, what goes, and what has to be done first."""

from __future__ import annotations

from typing import Any

import pytest
from aiohttp import web

from control.changes import entries
from control.changes.write import changing
from control.registry.credential import OAuthCredential
from tests.control.registry_api import Api, api
from tests.fakes.guarded_server import GuardedServer
from tests.fakes.identity_provider import IdentityProvider
from tests.fakes.registry import a_wanted_entry
from tests.fixtures_people import NOBODY
from tests.fixtures_upstream_accounts import Hosted

__all__ = ["api"]


@pytest.fixture
async def spread() -> Any:
    """An issuer whose endpoints are at another host; its address, and that host."""
    app = web.Application()
    runner = web.AppRunner(app, access_log=None)
    found: dict[str, str] = {}

    async def metadata(_request: web.Request) -> web.Response:
        return web.json_response(
            {
                "issuer": found["issuer"],
                "authorization_endpoint": f"{found['elsewhere']}/auth",
                "token_endpoint": f"{found['elsewhere']}/token",
                "registration_endpoint": f"{found['elsewhere']}/reg",
                "code_challenge_methods_supported": ["S256"],
            }
        )

    async def register(request: web.Request) -> web.Response:
        return web.json_response({**await request.json(), "client_id": "c", "client_secret": "s"}, status=201)

    app.add_routes([web.get("/.well-known/oauth-authorization-server", metadata), web.post("/reg", register)])
    await runner.setup()
    for name in ("issuer", "elsewhere"):
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        found[name] = f"http://127.0.0.1:{runner.addresses[-1][1]}"
    yield found
    await runner.cleanup()


async def told(api: Api, url: str, **settings: Any) -> Any:
    body = {"slug": "hosted", "name": "Hosted", "url": url, "credential_model": "oauth"}
    made = (await api.admin.send("POST", "/entries", body | {"credential_placement": settings or None})).json
    return (await api.admin.send("GET", f"/entries/{made['id']}/sign-in")).json


async def test_an_admin_sees_what_was_found(api: Api, upstream_idp: IdentityProvider) -> None:
    async with GuardedServer(upstream_idp) as server:
        found = await told(api, server.url)
    assert (found["issuer"], found["problem"], found["hosts_to_approve"]) == (upstream_idp.issuer, "", [])
    assert found["registrations"] == ["own", "dynamic"]
    assert found["callback_url"] == "https://tools.example.com/install/callback/hosted"
    assert found["resource"] == server.url
    assert {"openid", "email", "read"} <= set(found["scopes"])


async def test_a_server_that_archway_runs_is_not_asked_and_its_entry_says_all(
    api: Api, upstream_idp: IdentityProvider
) -> None:
    body = {
        "slug": "hosted", "name": "Hosted", "run": {"transport": "http", "image": "registry.example/server:1"},
        "credential_model": "oauth", "credential_placement": {"issuer": upstream_idp.issuer, "resource": "omit"},
    }  # fmt: skip
    made = await api.post("/entries", body)
    found = await api.get(f"/entries/{made['id']}/sign-in")
    assert (found["issuer"], found["problem"], found["resource"]) == (upstream_idp.issuer, "", "")


async def test_a_server_that_is_away_is_said_to_be(api: Api) -> None:
    found = await told(api, "http://127.0.0.1:9/mcp")
    assert "127.0.0.1:9" in found["problem"]
    assert found["callback_url"]


async def test_foreign_hosts_wait_for_an_admin(api: Api, spread: dict[str, str]) -> None:
    found = await told(api, "http://127.0.0.1:9/mcp", issuer=spread["issuer"], resource="omit", scopes=["a"])
    assert found["hosts_to_approve"] == [spread["elsewhere"]]
    assert found["token_endpoint"] == f"{spread['elsewhere']}/token"
    assert "approved_hosts" in found["problem"]


async def test_a_person_is_told_and_an_admin_approves_by_a_button(hosted: Hosted, spread: dict[str, str]) -> None:
    settings = OAuthCredential(issuer=spread["issuer"], resource="omit", scopes=("a",))
    async with changing(hosted.deps.pool, NOBODY) as write:
        wanted = a_wanted_entry("http://127.0.0.1:9/mcp", slug="spread", name="Spread", credential=settings)
        await entries.create(write, hosted.deps.safeguards, wanted)
    ann, root = await hosted.person("Ann"), await hosted.person("Root", "admin")
    page = await ann.browser.get("/install/spread")
    assert spread["elsewhere"] in page.words
    assert "Tell an admin" in page.words
    asked = await root.browser.get("/install/spread")
    sent = {"csrf": asked.value_of("csrf"), "hosts": asked.value_of("hosts")}
    refused = await ann.browser.post("/install/spread/hosts", {**sent, "csrf": await _csrf(ann)})
    assert refused.status == 403
    assert (await root.browser.post("/install/spread/hosts", sent)).status == 303
    begun = await ann.begin("/install/spread")
    assert begun.to.startswith(f"{spread['elsewhere']}/auth?")


async def _csrf(who: Any) -> str:
    return str((await who.browser.get(who.link)).value_of("csrf"))
