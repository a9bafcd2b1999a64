"""Pages of OAuth clients over plain HTTP: registering one, its secret once, what ends it, and who may see what."""

from __future__ import annotations

import re
from html import unescape

import pytest

from control.changes import oauth_clients
from control.changes.write import changing
from control.registry.oauth_client import OAuthClient
from control.registry.oauth_grant import Grant
from control.registry.user import User
from control.store import oauth_clients as stored
from control.store import oauth_grants
from control.store.pool import transaction
from core.tokens import digest
from tests.console.serving import MAKER, Console, Reader, reading
from tests.unit.control.changes import acting

NEW = {"name": "Open WebUI", "acts": "for_people", "auth_method": "client_secret_basic", "refreshes": "true"}
REDIRECTS = "https://chat.example.com/oauth/callback\r\nhttp://localhost/callback"


async def kept(console: Console, client_pk: str) -> OAuthClient | None:
    async with transaction(console.pool, readonly=True) as connection:
        return await stored.one(connection, client_pk)


async def known(console: Console, name: str) -> OAuthClient:
    async with transaction(console.pool, readonly=True) as connection:
        (found,) = await stored.page(connection, limit=2, after=None, name=name)
        return found


async def allowed(console: Console, person: User, *, only: bool = False) -> tuple[OAuthClient, Grant]:
    """A client that the person allowed the gateway `sales`, which (`only`) lets in that client alone."""
    async with changing(console.pool, MAKER) as write:
        client, _ = await oauth_clients.create(write, acting.a_client())
        named = {"allowed_clients": (client.client_id,)} if only else {}
        gateway = await acting.new_gateway(write, "sales", name="Sales", **named)
        grant = await acting.new_grant(write, client, person.id, gateway.id)
    async with transaction(console.pool) as connection:
        await oauth_grants.redeem(connection, digest(person.id), grant.id)
    return client, grant


async def registered(reader: Reader, **changes: str) -> tuple[str, str]:
    """The page behind registering, and the path of the client that it links to."""
    status, text, _ = await reader.post("/oauth-clients/new", **(NEW | {"redirect_uris": REDIRECTS} | changes))
    assert status == 200, text
    found = re.search(r'href="(/oauth-clients/[0-9a-f-]{36})"', text)
    assert found is not None
    return text, found[1]


async def test_a_client_is_registered_and_its_secret_is_shown_once(console: Console) -> None:
    async with reading(console, await console.person("Ann", "admin")) as reader:
        text, path = await registered(reader)
        secret = re.search(r"archs_[\w-]+", text)
        assert secret is not None
        made = await known(console, "Open WebUI")
        assert made.secret_digest == digest(secret[0])
        assert made.redirect_uris == ("https://chat.example.com/oauth/callback", "http://localhost/callback")
        for shown in (path, "/oauth-clients"):
            status, text = await reader.get(shown)
            assert status == 200
            assert secret[0] not in text


async def test_a_client_without_a_secret_is_shown_none(console: Console) -> None:
    async with reading(console, await console.person("Ann", "admin")) as reader:
        text, path = await registered(reader, auth_method="none")
        assert "archs_" not in text
        assert "New secret" not in (await reader.get(path))[1]


async def test_a_redirect_that_may_not_be_is_named_with_its_place(console: Console) -> None:
    async with reading(console, await console.person("Ann", "admin")) as reader:
        status, text, _ = await reader.post(
            "/oauth-clients/new", **NEW, redirect_uris="https://a.example.com/cb\nhttp://b.example.com/cb"
        )
    assert status == 422
    assert "Redirects (number 2) has http, which only this machine may have." in unescape(text)
    assert "https://a.example.com/cb\nhttp://b.example.com/cb</textarea>" in text


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"acts": "by_itself"}, "Redirects are for clients that act for people; leave them out."),
        ({"redirect_uris": ""}, "Redirects are needed for a client that acts for people; give at least one."),
        ({"jwks": "[1]"}, "Its public keys must be a JSON object with the member `keys`."),
        ({"jwks": "{"}, "Its public keys must be a JSON object with the member `keys`."),
    ],
)
async def test_what_does_not_fit_together_is_said_at_its_field(
    console: Console, fields: dict[str, str], said: str
) -> None:
    async with reading(console, await console.person("Ann", "admin")) as reader:
        filled = NEW | {"redirect_uris": REDIRECTS, "team_id": "", "jwks": "", "jwks_uri": ""} | fields
        status, text, _ = await reader.post("/oauth-clients/new", **filled)
    assert status == 422
    assert said in unescape(text)


async def test_another_secret_is_shown_once_and_the_one_before_is_gone(console: Console) -> None:
    async with reading(console, await console.person("Ann", "admin")) as reader:
        before, path = await registered(reader)
        status, text, _ = await reader.post(f"{path}/renew-secret")
        assert status == 200
        first, second = re.search(r"archs_[\w-]+", before), re.search(r"archs_[\w-]+", text)
        assert first is not None
        assert second is not None
        assert first[0] != second[0]
        assert (await known(console, "Open WebUI")).secret_digest == digest(second[0])


async def test_a_client_is_changed_and_a_form_of_an_older_version_changes_nothing(console: Console) -> None:
    async with reading(console, await console.person("Ann", "admin")) as reader:
        _, path = await registered(reader)
        fields = {"redirect_uris": "https://two.example.com/cb", "auth_method": "client_secret_post", "version": "1"}
        assert (await reader.post(path, name="Chat", **fields))[2] == f"{path}?said=saved"
        made = await known(console, "Chat")
        assert (made.redirect_uris, made.refreshes) == (("https://two.example.com/cb",), False)
        status, text, _ = await reader.post(path, name="Too late", **fields)
        assert status == 412
        assert 'value="Too late"' in text


async def test_the_list_counts_people_and_their_page_and_the_clients_tell_of_it(console: Console) -> None:
    bea = await console.person("Bea Bell")
    client, _ = await allowed(console, bea)
    async with reading(console, await console.person("Ann", "admin")) as reader:
        _, text = await reader.get("/oauth-clients?kind=registered")
        assert re.search(rf"{client.id}.*?<td class=\"number\">1</td>", text, re.DOTALL)
        assert client.id not in (await reader.get("/oauth-clients?kind=dynamic"))[1]
        _, text = await reader.get(f"/oauth-clients/{client.id}")
        assert "1 allows it something now" in text
        assert "Bea Bell" in text
        assert f'href="/oauth-clients/{client.id}"' in (await reader.get(f"/people/{bea.id}"))[1]


@pytest.mark.parametrize("back", ["client", "person"])
async def test_an_admin_takes_back_what_a_person_allowed(console: Console, back: str) -> None:
    bea = await console.person("Bea")
    client, grant = await allowed(console, bea)
    async with reading(console, await console.person("Ann", "admin")) as reader:
        _, _, where = await reader.post(f"/oauth-clients/grants/{grant.id}/withdraw?back={back}")
    page = f"/people/{bea.id}" if back == "person" else f"/oauth-clients/{client.id}"
    assert where == f"{page}?said=client-withdrawn"
    async with transaction(console.pool, readonly=True) as connection:
        ended = await oauth_grants.one(connection, grant.id)
    assert ended is not None
    assert ended.revoked_at is not None


async def test_all_that_a_client_was_allowed_is_taken_back(console: Console) -> None:
    client, _ = await allowed(console, await console.person("Bea"))
    async with reading(console, await console.person("Ann", "admin")) as reader:
        await reader.post(f"/oauth-clients/{client.id}/withdraw-all")
        assert "Nobody allows it anything now" in (await reader.get(f"/oauth-clients/{client.id}"))[1]


async def test_a_client_is_shut_out_let_in_and_deleted_with_what_breaks_by_name(console: Console) -> None:
    client, _ = await allowed(console, await console.person("Bea"), only=True)
    path = f"/oauth-clients/{client.id}"
    async with reading(console, await console.person("Ann", "admin")) as reader:
        await reader.post(f"{path}/disable")
        assert "shut out" in (await reader.get(path))[1]
        await reader.post(f"{path}/enable")
        _, text = await reader.get(path)
        assert "the way to sign in at <bdi>Sales</bdi>, which lets in this client alone" in text
        assert (await reader.post(f"{path}/delete"))[2] == "/oauth-clients?said=client-deleted"
        assert (await reader.get(path))[0] == 404
    assert await kept(console, client.id) is None


async def test_an_editor_sees_clients_and_neither_secrets_buttons_nor_whose_they_are(console: Console) -> None:
    client, grant = await allowed(console, await console.person("Bea Bell"))
    async with reading(console, await console.person("Ed", "editor")) as reader:
        status, text = await reader.get(f"/oauth-clients/{client.id}")
        assert status == 200
        for hidden in ("Bea Bell", "New secret", "Delete", "Shut out", 'name="version"'):
            assert hidden not in text, hidden
        assert "Register a client" not in (await reader.get("/oauth-clients"))[1]
        assert (await reader.get("/oauth-clients/new"))[0] == 404
        for act in ("", "/renew-secret", "/disable", "/delete", "/withdraw-all"):
            assert (await reader.post(f"/oauth-clients/{client.id}{act}"))[0] == 403
        assert (await reader.post(f"/oauth-clients/grants/{grant.id}/withdraw"))[0] == 404


@pytest.mark.parametrize("path", ["/oauth-clients", "/oauth-clients/new"])
async def test_a_member_sees_no_clients(console: Console, path: str) -> None:
    client, _ = await allowed(console, await console.person("Bea"))
    async with reading(console, await console.person("Carl")) as reader:
        assert (await reader.get(path))[0] == 404
        assert (await reader.get(f"/oauth-clients/{client.id}"))[0] == 404
