"""Pages of identity providers over plain HTTP, with a real OpenID provider: adding, changing, ending one."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

import pytest

from control.changes import identity_providers
from control.changes.write import changing
from control.registry.identity_provider import IdentityProvider, RoleRule, TeamRule
from control.registry.user import User
from control.store import identities, users
from control.store import identity_providers as stored
from control.store.pool import transaction
from core.identifiers import new_id
from tests.console.serving import MAKER, Console, reading
from tests.fakes.identity_provider import CLIENT_SECRET
from tests.fakes.identity_provider import IdentityProvider as Idp
from tests.fakes.providers import provider_fields
from tests.unit.control.changes import acting


def filled(idp: Idp, **changes: str) -> dict[str, str]:
    """The form of a provider as an admin fills it."""
    return {
        "name": "Corp", "slug": "corp", "issuer": idp.issuer, "sign_in": "true", "client_id": "archway",
        "client_secret": CLIENT_SECRET, "client_authentication": "client_secret_basic",
        "scopes": "openid email offline_access", "authorize_parameters": "prompt=", "match_email": "true",
        "allowed_domains": "corp.test, Example.com", "highest_role": "editor", "email_claim": "email",
        "name_claim": "name", "teams_claim": "", "roles_claim": "", "audiences": "", "algorithms": "RS256 ES256",
    } | changes  # fmt: skip


async def added(console: Console, issuer: str, **changes: Any) -> IdentityProvider:
    async with changing(console.pool, MAKER) as write:
        wanted = provider_fields(issuer=issuer, **{"highest_role": "editor", **changes})
        return await identity_providers.create(write, wanted, CLIENT_SECRET, console.deps.safeguards)


async def kept(console: Console, provider_id: str) -> IdentityProvider:
    async with transaction(console.pool, readonly=True) as connection:
        found = await stored.one(connection, provider_id)
    assert found is not None
    return found


async def known(console: Console, provider: IdentityProvider, person: User) -> str:
    """The identifier of the account there by which the person is known from now on."""
    identity_id = new_id()
    async with transaction(console.pool) as connection:
        await connection.execute(
            """insert into identities (id, provider_id, issuer, subject, user_id, email)
               values ($1, $2, $3, 'bea-there', $4, 'bea@corp.test')""",
            identity_id, provider.id, provider.issuer, person.id,
        )  # fmt: skip
    return identity_id


def id_in(path: str) -> str:
    found = re.search(r"/identity-providers/([0-9a-f-]{36})", path)
    assert found is not None
    return found[1]


async def test_a_provider_is_added_asked_at_once_and_its_secret_is_never_shown(console: Console, idp: Idp) -> None:
    async with reading(console, await console.person("Ann", "admin")) as reader:
        status, text, where = await reader.post("/identity-providers/new", **filled(idp))
        assert status == 303, text
        made = await kept(console, id_in(where))
        assert made.allowed_domains == ("corp.test", "example.com")
        assert made.authorize_parameters == {"prompt": ""}
        _, text = await reader.get(where)
        for told in ("works", f"{console.url}/sign-in/oidc/corp/callback", f"{idp.issuer}/token"):
            assert told in text, told
        _, change = await reader.get(f"/identity-providers/{made.id}/change")
        for page in (text, change, (await reader.get("/identity-providers"))[1]):
            assert CLIENT_SECRET not in unescape(page)


async def test_the_redirect_uri_is_told_before_there_is_a_provider_and_for_each_short_name(console: Console) -> None:
    async with reading(console, await console.person("Ann", "admin")) as reader:
        assert f"{console.url}/sign-in/oidc/sso/callback" in (await reader.get("/identity-providers/new"))[1]
        _, text = await reader.get("/identity-providers/new?slug=corp")
        assert f"{console.url}/sign-in/oidc/corp/callback" in text
        assert "/callback</code>" not in (await reader.get("/identity-providers/new?slug=No%20Slug"))[1]


async def test_what_is_wrong_comes_back_at_its_field_without_the_secret(console: Console, idp: Idp) -> None:
    async with reading(console, await console.person("Ann", "admin")) as reader:
        status, text, _ = await reader.post(
            "/identity-providers/new", **filled(idp, allowed_domains="corp.test @nobody")
        )
    assert status == 422
    assert "Domains (number 1) must be a domain such as example.com, without '@'." in unescape(text)
    assert 'value="corp.test @nobody"' in text
    assert CLIENT_SECRET not in unescape(text)


async def test_a_change_keeps_the_secret_that_is_stored(console: Console, idp: Idp) -> None:
    before = await added(console, idp.issuer)
    async with reading(console, await console.person("Ann", "admin")) as reader:
        path = f"/identity-providers/{before.id}"
        _, text = await reader.get(f"{path}/change")
        assert "One is stored. Type another to replace it." in text
        changed = filled(idp, name="Corp 2", client_secret="", teams_claim="groups", version="1")
        assert (await reader.post(f"{path}/change", **changed))[2] == f"{path}?said=saved"
        after = await kept(console, before.id)
        assert (after.name, after.teams_claim) == ("Corp 2", "groups")
        assert after.client_secret == before.client_secret
        status, text, _ = await reader.post(f"{path}/change", **changed)
        assert status == 412


async def test_what_failed_is_told_and_asking_again_tells_more(console: Console, idp: Idp) -> None:
    provider = await added(console, idp.issuer)
    path = f"/identity-providers/{provider.id}"
    await idp.outage(on=True)
    async with reading(console, await console.person("Ann", "admin")) as reader:
        assert "not asked yet" in (await reader.get(path))[1]
        assert (await reader.post(f"{path}/ask"))[2] == f"{path}?said=provider-asked"
        _, text = await reader.get(path)
        assert "cannot be asked" in text
        assert "answered 503" in text
        await idp.outage(on=False)
        await reader.post(f"{path}/ask")
        assert "What failed" not in (await reader.get(path))[1]


async def test_a_foreign_host_is_approved_by_a_button_and_taken_back(console: Console, idp: Idp) -> None:
    provider = await added(console, idp.issuer)
    path = f"/identity-providers/{provider.id}"
    elsewhere = await idp.foreign_keys()
    async with reading(console, await console.person("Ann", "admin")) as reader:
        await reader.post(f"{path}/ask")
        _, text = await reader.get(path)
        assert "waits for approval" in text
        assert f'aria-label="Approve {elsewhere}"' in text
        assert (await reader.post(f"{path}/hosts/approve", host=elsewhere))[2] == f"{path}?said=host-approved"
        assert (await kept(console, provider.id)).approved_hosts == (elsewhere,)
        _, text = await reader.get(path)
        assert "works" in text
        assert f'aria-label="Approve {elsewhere} no more"' in text
        await reader.post(f"{path}/hosts/refuse", host=elsewhere)
        assert (await kept(console, provider.id)).approved_hosts == ()
        status, text, _ = await reader.post(f"{path}/hosts/approve", host="https://a.example.com/path")
        assert status == 422
        assert "must be an origin, such as https://oauth2.example.com" in text


async def test_a_rule_gives_a_team_or_a_role_and_is_removed_by_what_it_says(console: Console, idp: Idp) -> None:
    provider = await added(console, idp.issuer, teams_claim="groups", roles_claim="roles")
    path = f"/identity-providers/{provider.id}"
    async with changing(console.pool, MAKER) as write:
        team = await acting.new_team(write, "Support")
    async with reading(console, await console.person("Ann", "admin")) as reader:
        for gives, role in ((team.id, "member"), ("", "editor")):
            await reader.post(f"{path}/rules", value="eng", gives=gives, role=role)
        after = await kept(console, provider.id)
        assert after.team_rules == (TeamRule("eng", team.id, "member"),)
        assert after.role_rules == (RoleRule("eng", "editor"),)
        _, text = await reader.get(path)
        assert "the team <bdi>Support</bdi>, as member" in text
        assert "the role editor" in text
        await reader.post(f"{path}/rules/remove", value="eng", gives=team.id, role="member")
        after = await kept(console, provider.id)
        assert (after.team_rules, len(after.role_rules)) == ((), 1)


async def test_a_rule_that_gives_more_than_the_provider_may_says_why(console: Console, idp: Idp) -> None:
    provider = await added(console, idp.issuer, roles_claim="roles")
    async with reading(console, await console.person("Ann", "admin")) as reader:
        status, text, _ = await reader.post(
            f"/identity-providers/{provider.id}/rules", value="boss", gives="", role="admin"
        )
    assert status == 422
    assert "is more than `highest_role` (editor) lets it give" in text
    assert 'value="boss"' in text


async def test_a_provider_that_gateways_name_is_switched_off_and_not_deleted(console: Console, idp: Idp) -> None:
    provider = await added(console, idp.issuer, audiences=("https://mcp.example.com/v1/mcp/sales",))
    async with changing(console.pool, MAKER) as write:
        await acting.new_gateway(write, "sales", name="Sales", identity_provider_id=provider.id)
    path = f"/identity-providers/{provider.id}"
    async with reading(console, await console.person("Ann", "admin")) as reader:
        _, text = await reader.get(path)
        assert "It cannot be deleted while <bdi>Sales</bdi> takes its tokens." in text
        assert f"{path}/delete" not in text
        assert (await reader.post(f"{path}/delete"))[0] == 409
        await reader.post(f"{path}/switch-off")
        assert not (await kept(console, provider.id)).enabled
        assert "Switch on" in (await reader.get(path))[1]
        await reader.post(f"{path}/switch-on")
        assert (await kept(console, provider.id)).enabled


async def test_deleting_a_provider_names_who_loses_what(console: Console, idp: Idp) -> None:
    provider = await added(console, idp.issuer)
    bea = await console.person("Bea Bell")
    identity_id = await known(console, provider, bea)
    path = f"/identity-providers/{provider.id}"
    async with reading(console, await console.person("Ann", "admin")) as reader:
        _, text = await reader.get(path)
        assert "the way in: <bdi>Bea Bell</bdi>" in text
        other = await added(console, "https://other.example.com", slug="other")
        assert (await reader.post(f"/identity-providers/{other.id}/people/{identity_id}/unlink"))[0] == 404
        assert (await reader.post(f"{path}/people/{identity_id}/unlink"))[2] == f"{path}?said=person-unlinked"
        async with transaction(console.pool, readonly=True) as connection:
            assert await identities.people_of(connection, provider.id) == []
            assert await users.one(connection, bea.id) is not None
        assert (await reader.post(f"{path}/delete"))[2] == "/identity-providers?said=provider-deleted"
        assert (await reader.get(path))[0] == 404


async def test_an_editor_sees_a_provider_and_can_change_nothing(console: Console, idp: Idp) -> None:
    provider = await added(console, idp.issuer, roles_claim="roles", role_rules=(RoleRule("boss", "editor"),))
    path = f"/identity-providers/{provider.id}"
    async with reading(console, await console.person("Ed", "editor")) as reader:
        status, text = await reader.get(path)
        assert status == 200
        for hidden in (f'action="{path}', f"{path}/change", "Who is known by it", "Delete", "Switch"):
            assert hidden not in text, hidden
        assert (await reader.get("/identity-providers/new"))[0] == 404
        assert (await reader.get(f"{path}/change"))[0] == 404
        for act in ("change", "ask", "switch-off", "hosts/approve", "rules", "rules/remove", "delete"):
            assert (await reader.post(f"{path}/{act}"))[0] == 403, act


@pytest.mark.parametrize("path", ["/identity-providers", "/identity-providers/new"])
async def test_a_member_sees_no_providers(console: Console, path: str) -> None:
    provider = await added(console, "https://id.example.com")
    async with reading(console, await console.person("Carl")) as reader:
        assert (await reader.get(path))[0] == 404
        assert (await reader.get(f"/identity-providers/{provider.id}"))[0] == 404
