from __future__ import annotations

import pytest

from control.credentials.upstream_oauth.challenge import Challenge
from control.credentials.upstream_oauth.discovery import discover
from control.credentials.upstream_oauth.unfit import NotApproved, Unfit
from control.providers.asking import Asker, ProviderAway
from control.registry.credential import ClientCredentials, OAuthCredential
from tests.fakes.answering import Answering
from tests.fakes.upstream_clients import metadata

PRM = "/.well-known/oauth-protected-resource"
OAUTH = "/.well-known/oauth-authorization-server"
OPENID = "/.well-known/openid-configuration"


def describe(server: Answering, issuer: str, **more: object) -> None:
    """The server says who gives tokens for it."""
    described = {"resource": f"{server.url}/mcp", "authorization_servers": [issuer], **more}
    server.at(f"{PRM}/mcp", described)


async def test_the_way_leads_from_a_server_to_its_authorization_server(server: Answering, asker: Asker) -> None:
    issuer = f"{server.url}/tenant"
    describe(server, issuer, scopes_supported=["a"])
    server.at(f"/tenant{OPENID}", metadata(issuer))
    found = await discover(asker, f"{server.url}/mcp", OAuthCredential())
    assert (found.server.issuer, found.resource, found.scopes_supported) == (issuer, f"{server.url}/mcp", ("a",))
    assert server.paths == [f"{PRM}/mcp", f"{OAUTH}/tenant", f"{OPENID}/tenant", f"/tenant{OPENID}"]


async def test_the_servers_own_word_for_where_it_is_described_is_asked_first(server: Answering, asker: Asker) -> None:
    server.at("/told", {"resource": server.url, "authorization_servers": [server.url]})
    server.at(OAUTH, metadata(server.url))
    found = await discover(
        asker, f"{server.url}/mcp", OAuthCredential(), Challenge(resource_metadata=f"{server.url}/told")
    )
    assert found.resource == server.url
    assert server.paths == ["/told", OAUTH]


async def test_the_metadata_of_another_issuer_ends_the_way(server: Answering, asker: Asker) -> None:
    describe(server, server.url)
    server.at(OAUTH, metadata("https://evil.example"))
    server.at(OPENID, metadata(server.url))
    with pytest.raises(Unfit, match="another issuer"):
        await discover(asker, f"{server.url}/mcp", OAuthCredential())


async def test_an_authorization_server_that_cannot_say_now_is_away(server: Answering, asker: Asker) -> None:
    describe(server, server.url)
    server.at(OAUTH, {}, 503)
    server.at(OPENID, metadata(server.url))
    with pytest.raises(ProviderAway):
        await discover(asker, f"{server.url}/mcp", OAuthCredential())


async def test_foreign_endpoints_wait_for_an_admin(server: Answering, asker: Asker) -> None:
    async with Answering() as other:
        describe(server, server.url)
        server.at(OAUTH, metadata(server.url, token_endpoint=f"{other.url}/token"))
        with pytest.raises(NotApproved) as refused:
            await discover(asker, f"{server.url}/mcp", OAuthCredential())
        assert refused.value.hosts == (other.url,)
        approved = OAuthCredential(approved_hosts=refused.value.hosts)
        assert (await discover(asker, f"{server.url}/mcp", approved)).server.token_endpoint == f"{other.url}/token"
        assert other.asked == []


async def test_an_old_server_has_its_metadata_at_its_own_origin_or_its_endpoints_there(
    server: Answering, asker: Asker
) -> None:
    found = await discover(asker, f"{server.url}/mcp", OAuthCredential())
    assert (found.server.token_endpoint, found.server.is_assumed) == (f"{server.url}/token", True)
    assert found.resource == f"{server.url}/mcp"
    server.at(OAUTH, metadata(f"{server.url}/", token_endpoint=f"{server.url}/t"))
    found = await discover(asker, f"{server.url}/mcp", OAuthCredential())
    assert (found.server.token_endpoint, found.server.issuer) == (f"{server.url}/t", f"{server.url}/")
    server.at(OAUTH, metadata("https://evil.example"))
    with pytest.raises(Unfit):
        await discover(asker, f"{server.url}/mcp", OAuthCredential())


async def test_the_entrys_issuer_wins_over_the_servers(server: Answering, asker: Asker) -> None:
    describe(server, "https://evil.example")
    server.at(OAUTH, metadata(server.url))
    found = await discover(asker, f"{server.url}/mcp", OAuthCredential(issuer=server.url))
    assert found.server.issuer == server.url


async def test_metadata_behind_a_path_is_good_for_the_issuer_that_an_admin_gave(
    server: Answering, asker: Asker
) -> None:
    describe(server, f"{server.url}/tenant")
    server.at(f"{OAUTH}/tenant", metadata(server.url))
    with pytest.raises(Unfit, match="as its `issuer`"):
        await discover(asker, f"{server.url}/mcp", OAuthCredential())
    found = await discover(asker, f"{server.url}/mcp", OAuthCredential(issuer=server.url))
    assert found.server.token_endpoint == f"{server.url}/token"


async def test_nobody_else_becomes_that_issuer_by_saying_so(server: Answering, asker: Asker) -> None:
    async with Answering() as evil:
        describe(server, evil.url)
        evil.at(OAUTH, metadata(server.url, token_endpoint=f"{evil.url}/token"))
        with pytest.raises(NotApproved):
            await discover(asker, f"{server.url}/mcp", OAuthCredential(issuer=server.url))
        evil.at(OAUTH, metadata(evil.url))
        with pytest.raises(Unfit):
            await discover(asker, f"{server.url}/mcp", OAuthCredential(issuer=server.url))


async def test_an_issuer_that_only_the_server_named_gets_nothing_that_is_for_the_typed_endpoint(
    server: Answering, asker: Asker
) -> None:
    async with Answering() as theirs:
        describe(server, theirs.url)
        theirs.at(OAUTH, metadata(theirs.url))
        typed = OAuthCredential(token_endpoint=f"{server.url}/token", client_id="archway")
        with pytest.raises(NotApproved) as refused:
            await discover(asker, f"{server.url}/mcp", typed)
        assert refused.value.hosts == (theirs.url,)
        theirs.at(OAUTH, metadata(theirs.url, **{
            name: f"{server.url}/{name}"
            for name in ("authorization_endpoint", "registration_endpoint", "revocation_endpoint")
        }))  # fmt: skip
        assert (await discover(asker, f"{server.url}/mcp", typed)).server.revocation_endpoint


async def test_an_entry_that_says_all_asks_nobody(server: Answering, asker: Asker) -> None:
    settings = OAuthCredential(
        issuer=f"{server.url}/as", authorization_endpoint=f"{server.url}/a", token_endpoint=f"{server.url}/t",
        resource="omit", scopes=("a",),
    )  # fmt: skip
    found = await discover(asker, f"{server.url}/mcp", settings)
    assert (found.server.token_endpoint, found.resource, server.asked) == (f"{server.url}/t", "", [])


async def test_typed_endpoints_do_for_an_issuer_without_metadata(server: Answering, asker: Asker) -> None:
    describe(server, f"{server.url}/as")
    with pytest.raises(Unfit, match="has no metadata"):
        await discover(asker, f"{server.url}/mcp", OAuthCredential())
    typed = OAuthCredential(authorization_endpoint=f"{server.url}/a", token_endpoint=f"{server.url}/t")
    found = await discover(asker, f"{server.url}/mcp", typed)
    assert (found.server.issuer, found.server.authorization_endpoint) == (f"{server.url}/as", f"{server.url}/a")


async def test_what_tokens_are_for_is_the_entrys_word_before_the_servers(server: Answering, asker: Asker) -> None:
    describe(server, server.url)
    server.at(OAUTH, metadata(server.url))
    url = f"{server.url}/mcp"
    assert (await discover(asker, url, OAuthCredential(resource="https://x.example"))).resource == "https://x.example"
    assert (await discover(asker, url, OAuthCredential(resource="omit"))).resource == ""


async def test_a_client_that_acts_by_itself_needs_no_place_where_people_sign_in(
    server: Answering, asker: Asker
) -> None:
    describe(server, server.url)
    server.at(OAUTH, metadata(server.url, authorization_endpoint=None))
    found = await discover(asker, f"{server.url}/mcp", ClientCredentials())
    assert found.server.token_endpoint == f"{server.url}/token"
    typed = ClientCredentials(token_endpoint=f"{server.url}/t", resource="omit", scopes=("a",))
    assert (await discover(asker, f"{server.url}/mcp", typed)).server.token_endpoint == f"{server.url}/t"
