"""Service accounts on pages over plain HTTP: installed for, shown, pinned to, told of in Activity, and ended."""

from __future__ import annotations

import pytest

from control.changes import oauth_clients
from control.changes.write import changing
from control.registry.credential import OAuthCredential
from control.registry.oauth_client import ClientFields, OAuthClient
from tests.console.registry_seeds import BEARER, SECRET, an_entry, an_installation, kept
from tests.console.serving import MAKER, Console, reading
from tests.console.test_activity import kept as a_record
from tests.console.test_installations import installations, shown


async def program(console: Console, name: str = "Nightly run") -> OAuthClient:
    """An OAuth client that acts by itself."""
    wanted = ClientFields(name=name, acts="by_itself", auth_method="client_secret_post")
    async with changing(console.pool, MAKER) as write:
        return (await oauth_clients.create(write, wanted))[0]


@pytest.mark.parametrize("path", ["/registry/{id}/install", "/install/github"])
async def test_an_admin_installs_for_a_service_account_and_an_editor_is_not_offered_it(
    console: Console, path: str
) -> None:
    entry, client = await an_entry(console, credential=BEARER), await program(console)
    path, chosen = path.format(id=entry.id), f"service:{client.id}"
    async with reading(console, await console.person("Ed", "editor")) as reader:
        assert "Nightly run" not in (await reader.get(path))[1]
        status, _, _ = await reader.post(path, whose=chosen, name="", protocol="auto", credential=SECRET)
        assert status in {403, 422}
        assert not await installations(console)
    async with reading(console, await console.person("Ann", "admin")) as reader:
        _, text = await reader.get(path)
        assert f'<option value="{chosen}">The service account Nightly run</option>' in text
        status, text, _ = await reader.post(path, whose=chosen, name="", protocol="auto", credential=SECRET)
        assert status == 303, text
        (made,) = await installations(console)
        assert (await kept(console, made)).address == "github@Nightly run"
        _, text = await reader.get(f"/installations/{made}")
        assert "Github, installed for the service account Nightly run." in text
        assert "The service account Nightly run alone, before its team" in text


async def test_where_people_sign_in_no_service_account_is_offered_and_one_that_is_asked_for_is_refused(
    console: Console,
) -> None:
    entry, client = await an_entry(console, credential=OAuthCredential()), await program(console)
    async with reading(console, await console.person("Ann", "admin")) as reader:
        path = f"/registry/{entry.id}/install"
        assert "Nightly run" not in (await reader.get(path))[1]
        status, text, _ = await reader.post(path, whose=f"service:{client.id}", name="", protocol="auto")
        assert status == 422
        assert "a service account cannot sign in" in text


async def test_its_page_lists_what_it_calls_with_and_says_that_this_goes_with_it(console: Console) -> None:
    entry, client = await an_entry(console, credential=BEARER), await program(console)
    async with reading(console, await console.person("Ann", "admin")) as reader:
        path = f"/oauth-clients/{client.id}"
        _, text = await reader.get(path)
        assert "It has none of its own yet." in text
        assert "create --entry crm --scope service --oauth-client &#39;Nightly run&#39; --credential" in text
        its = await an_installation(console, entry, scope="service", oauth_client_id=client.id)
        ours = await an_installation(console, entry)
        _, text = await reader.get(path)
        assert f'href="/installations/{its.id}"' in text
        assert f'href="/installations/{ours.id}"' not in text
        assert "<li>1 installation of its own, with the tools that are pinned to it</li>" in text
        _, text = await reader.get("/installations?scope=service")
        assert f'href="/installations/{its.id}"' in text
        assert "the service account Nightly run" in text
        status, _, _ = await reader.post(f"{path}/delete")
        assert status == 303
        assert await installations(console) == [ours.id]
    async with reading(console, await console.person("Ed", "editor")) as reader:
        other = await program(console, "Weekly")
        assert "What it calls with" in (await reader.get(f"/oauth-clients/{other.id}"))[1]


async def test_its_installation_is_offered_as_a_pin_where_it_alone_comes_in(console: Console) -> None:
    entry, client = await an_entry(console), await program(console)
    its = await an_installation(console, entry, scope="service", oauth_client_id=client.id)
    await shown(console, entry, its, "open", pinned=False)
    async with console.pool.acquire() as connection:
        tools = f"/gateways/{await connection.fetchval('select id from gateways')}/tools"
    async with reading(console, await console.person("Ann", "admin")) as reader:
        status, text = await reader.get(tools)
        assert status == 200
        assert "github@Nightly run of Nightly run" not in text
        async with console.pool.acquire() as connection:
            await connection.execute("update gateways set allowed_clients = array[$1]", client.client_id)
        assert "github@Nightly run of Nightly run" in (await reader.get(tools))[1]


async def test_its_calls_stand_under_its_name_in_activity(console: Console) -> None:
    client, ann = await program(console), await console.person("Ann", "admin")
    key = f"service:{client.id}"
    one = await a_record(console, ann, principal=key, installation_owner=key)
    await a_record(console, ann)
    async with reading(console, ann) as reader:
        _, text = await reader.get(f"/activity?principal={key}")
        assert text.count('href="/activity/0') == 1
        assert f'<a href="/oauth-clients/{client.id}"><bdi>the service account Nightly run</bdi></a>' in text
        assert f'<option value="{key}" selected>The service account Nightly run</option>' in text
        await reader.post(f"/oauth-clients/{client.id}/delete")
        assert "a service account that is gone" in (await reader.get(f"/activity/{one}"))[1]
