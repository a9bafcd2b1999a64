"""The admin API of accounts: what an installation has, tokens that are deposited, and its end."""

from __future__ import annotations

from typing import Any

from tests.control.registry_api import Api, api
from tests.fakes.guarded_server import GuardedServer
from tests.fakes.identity_provider import IdentityProvider

__all__ = ["api"]
TOKENS = {"access_token": "at-7f3a9c", "refresh_token": "rt-7f3a9c", "expires_in": 3600, "scope": "read write"}


async def installed(api: Api, url: str) -> Any:
    """An entry that people sign in to, installed for the organisation by an admin."""
    entry = {"slug": "hosted", "name": "Hosted", "url": url, "credential_model": "oauth"}
    made = (await api.admin.send("POST", "/entries", entry)).json
    body = {"entry_id": made["id"], "scope": "organisation"}
    return (await api.admin.send("POST", "/installations", body)).json


async def deposited(api: Api, installation: Any, **tokens: Any) -> Any:
    return await api.admin.send("PUT", f"/installations/{installation['id']}/account", tokens)


async def test_an_installation_without_an_account_says_where_to_sign_in(
    api: Api, upstream_idp: IdentityProvider
) -> None:
    async with GuardedServer(upstream_idp) as server:
        made = await installed(api, server.url)
    assert made["state"] == "needs_sign_in"
    assert made["account"] is None
    assert made["state_reason"]
    assert made["sign_in_link"] == f"https://tools.example.com/install/hosted?installation={made['id']}"


async def test_tokens_from_elsewhere_are_deposited_and_never_shown(api: Api, upstream_idp: IdentityProvider) -> None:
    async with GuardedServer(upstream_idp) as server:
        made = await installed(api, server.url)
        given = await deposited(api, made, **TOKENS, issuer=upstream_idp.issuer)
    assert given.status == 200, given.body
    account = given.json["account"]
    assert (account["issuer"], account["scopes"]) == (upstream_idp.issuer, ["read", "write"])
    assert (account["refreshes"], account["signed_out"]) == (True, False)
    shown = await api.admin.send("GET", f"/installations/{made['id']}")
    listed = await api.admin.send("GET", "/installations")
    assert shown.json["account"]["expires_at"]
    assert b"7f3a9c" not in given.body + shown.body + listed.body


async def test_a_refresh_token_goes_to_no_provider_that_the_server_alone_has_named(
    api: Api, upstream_idp: IdentityProvider
) -> None:
    async with GuardedServer(upstream_idp) as server:
        made = await installed(api, server.url)
        unsaid = await deposited(api, made, **TOKENS)
        others = await deposited(api, made, **TOKENS, issuer="https://login.example.com")
        assert [path for path in await upstream_idp.counts() if "/.well-known/" not in path] == []
        assert f"its server names {upstream_idp.issuer}; give that as `issuer`" in unsaid.json["detail"]
        assert "the tokens are of another one" in others.json["detail"]
        assert (unsaid.status, others.status) == (409, 409)
        assert (await deposited(api, made, access_token="at-alone")).status == 200
        typed = {"credential_placement": {"issuer": upstream_idp.issuer}}
        await api.patch(f"/entries/{made['entry_id']}", typed)
        assert (await deposited(api, made, **TOKENS)).status == 200


async def test_an_account_is_of_one_path_of_its_server_and_good_again_when_the_entry_comes_back(
    api: Api, upstream_idp: IdentityProvider
) -> None:
    """One host may serve many owners, each at a path."""
    async with GuardedServer(upstream_idp) as server:
        made = await installed(api, server.url)
        given = await deposited(api, made, **TOKENS, issuer=upstream_idp.issuer)
        assert given.json["standing"]["word"] != "needs_sign_in_again"
        for url, word in (
            (f"{server.url}/of-somebody-else", "needs_sign_in_again"),
            (f"{server.url}?of=somebody-else", "needs_sign_in_again"),
            (server.url, "not_asked"),
        ):
            await api.patch(f"/entries/{made['entry_id']}", {"url": url})
            shown = (await api.admin.send("GET", f"/installations/{made['id']}")).json
            assert shown["standing"]["word"] == word, url


async def test_an_account_is_taken_away_and_taking_it_twice_does_nothing(
    api: Api, upstream_idp: IdentityProvider
) -> None:
    async with GuardedServer(upstream_idp) as server:
        made = await installed(api, server.url)
        await deposited(api, made, **TOKENS, issuer=upstream_idp.issuer)
    for _ in range(2):
        assert (await api.admin.send("DELETE", f"/installations/{made['id']}/account")).status == 204
    after = (await api.admin.send("GET", f"/installations/{made['id']}")).json
    assert (after["account"], after["state"]) == (None, "needs_sign_in")


async def test_an_entry_that_nobody_signs_in_to_takes_no_tokens(api: Api) -> None:
    entry = {"slug": "plain", "name": "Plain", "url": "https://plain.example/mcp"}
    made = (await api.admin.send("POST", "/entries", entry)).json
    body = {"entry_id": made["id"], "scope": "organisation"}
    installation = (await api.admin.send("POST", "/installations", body)).json
    refused = await deposited(api, installation, **TOKENS)
    assert refused.status == 422
    assert b"at-7f3a9c" not in refused.body
