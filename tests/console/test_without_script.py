"""The pages over plain HTTP: forms that work without a script, who may see what, and what is refused."""

from __future__ import annotations

import re
from html import unescape

import pytest

from control.changes import oauth_clients, teams
from control.changes.write import changing
from control.registry.team import NewTeam
from control.store import browser_sessions, oauth_grants, roles, sign_in_links, tokens, users
from control.store.pool import transaction
from core.tokens import digest
from tests.console.registry_seeds import an_entry
from tests.console.serving import MAKER, Console, reading
from tests.control import seeded
from tests.unit.control.changes import acting

NOBODYS_PAGE = "/people/01a22456-45b4-7d41-905f-9abfb7d91bd8"
ALL_PAGES = (
    "/", "/my/access", "/my/connect", "/tokens", "/tokens/new", "/people", "/people/invite", "/teams", "/sign-ins",
)  # fmt: skip


@pytest.mark.parametrize("path", [*ALL_PAGES, "/find?q=a", "/teams/new"])
async def test_a_page_is_served_to_an_admin(console: Console, path: str) -> None:
    async with reading(console, await console.person("Ann", "admin")) as reader:
        status, text = await reader.get(path)
    assert status == 200
    assert len(text.encode()) < 60_000
    assert text.count("<h1>") == 1


async def test_a_stranger_is_led_to_the_door_and_back(console: Console) -> None:
    async with (
        reading(console, None) as reader,
        reader.http.get(
            console.url + "/my/access?said=saved", headers={"Accept": "text/html"}, allow_redirects=False
        ) as answer,
    ):
        assert (answer.status, answer.headers["Location"]) == (
            303,
            "/sign-in?return_to=/my/access%3Fsaid%3Dsaved",
        )


@pytest.mark.parametrize("path", ["/people", "/people/invite", "/teams/new", NOBODYS_PAGE, "/nothing"])
async def test_what_one_may_not_see_is_not_there(console: Console, path: str) -> None:
    async with reading(console, await console.person("Bea")) as reader:
        status, text = await reader.get(path)
    assert status == 404
    assert "or you may not see it" in text


async def test_the_headers_of_a_page_let_it_load_nothing_from_elsewhere(console: Console) -> None:
    async with (
        reading(console, await console.person("Bea")) as reader,
        reader.http.get(console.url + "/my/access") as answer,
    ):
        policy = answer.headers["Content-Security-Policy"]
        assert answer.headers["Cache-Control"] == "no-store"
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy


async def test_every_file_that_a_page_names_is_served_to_be_kept(console: Console) -> None:
    async with reading(console, await console.person("Bea")) as reader:
        _, text = await reader.get("/my/access")
        named = re.findall(r'(?:src|href)="(/static/[^"]+)"', text)
        assert len(named) >= 3
        for path in named:
            async with reader.http.get(console.url + path) as answer:
                assert answer.status == 200
                assert "immutable" in answer.headers["Cache-Control"]


@pytest.mark.parametrize(
    ("token", "site"),
    [pytest.param("another", "same-origin", id="token"), pytest.param(None, "cross-site", id="site")],
)
async def test_a_form_that_no_page_of_the_session_sent_changes_nothing(
    console: Console, token: str | None, site: str
) -> None:
    async with reading(console, await console.person("Ann", "admin")) as reader:
        status, _, _ = await reader.post("/teams/new", token=token, site=site, name="Red", description="")
        assert status == 403
        assert "Red" not in (await reader.get("/teams"))[1]


async def test_an_invitation_gives_a_link_that_is_shown_once(console: Console) -> None:
    async with reading(console, await console.person("Ann", "admin")) as reader:
        status, text, _ = await reader.post("/people/invite", name="Bea Bell", email="bea@example.com", role="editor")
        assert status == 200
        secret = re.search(re.escape(console.url) + r"/sign-in/link/([\w-]+)", text)
        assert secret is not None
        async with transaction(console.pool, readonly=True) as connection:
            link = await sign_in_links.open_by_digest(connection, digest(secret[1]))
            assert link is not None
            made = await users.one(connection, link.user_id)
        assert made is not None
        assert (made.name, made.role, link.purpose) == ("Bea Bell", "editor", "invitation")
        assert secret[1] not in (await reader.get(f"/people/{made.id}"))[1]


async def test_what_is_wrong_comes_back_at_its_field_with_all_that_was_typed(console: Console) -> None:
    async with reading(console, await console.person("Ann", "admin")) as reader:
        status, text, _ = await reader.post("/people/invite", name="Bea <b>", email="nobody", role="editor")
    assert status == 422
    assert "Email must be an address such as ann@example.com." in unescape(text)
    assert 'value="Bea &lt;b&gt;"' in text
    assert 'value="nobody"' in text
    assert 'aria-describedby="email-error email-hint" aria-invalid="true"' in text
    assert '<option value="editor" selected>' in text


async def test_an_address_that_is_taken_comes_back_at_its_field(console: Console) -> None:
    ann = await console.person("Ann", "admin")
    async with reading(console, ann) as reader:
        status, text, _ = await reader.post("/people/invite", name="Bea", email=ann.email, role="member")
    assert status == 409
    assert "Email is another user's; choose another." in unescape(text)


async def test_a_person_is_changed_shut_out_let_in_and_deleted(console: Console) -> None:
    bea = await console.person("Bea")
    path = f"/people/{bea.id}"
    async with reading(console, await console.person("Ann", "admin")) as reader:
        status, _, where = await reader.post(path, name="Bea Bell", email=bea.email, role="editor", version="1")
        assert (status, where) == (303, f"{path}?said=saved")
        assert "Bea Bell" in (await reader.get(path))[1]
        status, text, _ = await reader.post(path, name="Too late", email=bea.email, role="editor", version="1")
        assert status == 412
        assert 'value="Too late"' in text
        await reader.post(f"{path}/disable")
        assert "shut out" in (await reader.get(path))[1]
        await reader.post(f"{path}/enable")
        async with transaction(console.pool, readonly=True) as connection:
            again = await users.one(connection, bea.id)
        assert again is not None
        assert again.disabled_at is None
        status, _, where = await reader.post(f"{path}/delete")
        assert (status, where) == (303, "/people?said=person-deleted")
        assert (await reader.get(path))[0] == 404


async def test_the_last_admin_stays_and_is_told_why(console: Console) -> None:
    ann = await console.person("Ann", "admin")
    async with reading(console, ann) as reader:
        status, text, _ = await reader.post(f"/people/{ann.id}/disable")
    assert status == 409
    assert "This is the last admin" in text


async def test_a_team_is_made_and_people_are_taken_in_and_out(console: Console) -> None:
    bea = await console.person("Bea")
    async with reading(console, await console.person("Ann", "admin")) as reader:
        _, _, where = await reader.post("/teams/new", name="Red", description="The first")
        path = where.partition("?")[0]
        await reader.post(f"{path}/members", user_id=bea.id, role="editor")
        _, text = await reader.get(path)
        assert bea.email in text
        assert '<option value="editor" selected>' in text
        await reader.post(f"{path}/members/remove", user_id=bea.id)
        async with transaction(console.pool, readonly=True) as connection:
            assert await connection.fetchval("select count(*) from memberships") == 0
        status, text, _ = await reader.post(path, name="", description="", version="")
        assert status == 422
        assert (await reader.post(f"{path}/delete"))[2] == "/teams?said=team-deleted"


async def test_an_admin_of_a_team_manages_its_members_and_no_other_team(console: Console) -> None:
    ann, bea = await console.person("Ann"), await console.person("Bea")
    async with changing(console.pool, MAKER) as write:
        red = await teams.create(write, NewTeam(name="Red", description=""))
        blue = await teams.create(write, NewTeam(name="Blue", description=""))
        await teams.set_member(write, red.id, ann.id, "admin")
    async with reading(console, ann) as reader:
        assert (await reader.post(f"/teams/{red.id}/members", user_id=bea.id, role="member"))[0] == 303
        assert (await reader.get(f"/teams/{blue.id}"))[0] == 404
        assert (await reader.post(f"/teams/{blue.id}/members", user_id=bea.id, role="member"))[0] == 404
        _, text = await reader.get(f"/teams/{red.id}")
        assert "Delete the team" not in text


async def test_a_member_makes_a_token_for_their_own_calls_and_revokes_it(console: Console) -> None:
    bea = await console.person("Bea")
    async with reading(console, bea) as reader:
        status, text, _ = await reader.post("/tokens/new", name="Laptop", use="gateways", whose="mine", days="30")
        assert status == 200
        secret = re.search(r"arch_\w+", text)
        assert secret is not None
        async with transaction(console.pool, readonly=True) as connection:
            made = await tokens.by_digest(connection, digest(secret[0]))
        assert made is not None
        assert (made.name, made.created_by, made.use) == ("Laptop", bea.id, "gateways")
        assert "Laptop" in (await reader.get("/my/access"))[1]
        _, _, where = await reader.post(f"/tokens/{made.id}/revoke", back="my-access")
        assert where == "/my/access?said=token-revoked"
        assert "revoked" in (await reader.get(where))[1]


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"use": "api", "whose": "mine", "days": "30"}, "Only an admin makes tokens"),
        ({"use": "gateways", "whose": "organisation", "days": "30"}, "Only an admin makes tokens"),
        ({"use": "gateways", "whose": "mine", "days": "never"}, "must be within 366 days"),
        ({"use": "gateways", "whose": "mine", "days": "900"}, "must be within 366 days"),
    ],
)
async def test_a_member_makes_no_other_token(console: Console, fields: dict[str, str], sentence: str) -> None:
    async with reading(console, await console.person("Bea")) as reader:
        status, text, _ = await reader.post("/tokens/new", name="x", **fields)
    assert status in {403, 422}
    assert sentence in text
    assert "arch_" not in text


async def test_sessions_are_ended_one_by_one_or_all_but_this(console: Console) -> None:
    bea = await console.person("Bea")
    await console.cookie(bea)
    await console.cookie(bea)
    async with reading(console, bea) as reader:
        async with transaction(console.pool, readonly=True) as connection:
            here, other, _ = await browser_sessions.of_user(connection, bea.id)
        await reader.post(f"/my/sessions/{other.id}/end")
        await reader.post("/my/sessions/end-others")
        async with transaction(console.pool, readonly=True) as connection:
            assert [one.id for one in await browser_sessions.of_user(connection, bea.id)] == [here.id]


async def test_nobody_ends_anothers_session_or_revokes_their_token(console: Console) -> None:
    ann, bea = await console.person("Ann"), await console.person("Bea")
    await console.cookie(ann)
    async with transaction(console.pool) as connection:
        (theirs,) = await browser_sessions.of_user(connection, ann.id)
        token_digest = await seeded.token(connection, user=ann.id)
        token = await tokens.by_digest(connection, token_digest)
    assert token is not None
    async with reading(console, bea) as reader:
        assert (await reader.post(f"/my/sessions/{theirs.id}/end"))[0] == 404
        assert (await reader.post(f"/tokens/{token.id}/revoke"))[0] == 404


async def test_a_gateway_that_one_does_not_see_has_no_page_and_no_stream(console: Console) -> None:
    async with transaction(console.pool) as connection:
        ann = await seeded.user(connection, "ann")
        team = await seeded.team(connection, "Red", ann)
        await seeded.gateway(connection, "secret-plans", teams=(team,))
    async with reading(console, await console.person("Bea")) as reader:
        assert (await reader.get("/connect/secret-plans"))[0] == 404
        assert (await reader.get("/connect/secret-plans/first-call"))[0] == 404
        assert "secret-plans" not in (await reader.get("/find?q=secret"))[1]


async def test_a_token_made_at_connect_stands_in_what_is_copied(console: Console) -> None:
    async with transaction(console.pool) as connection:
        await seeded.gateway(connection, "sales")
    async with reading(console, await console.person("Bea")) as reader:
        _, before = await reader.get("/connect/sales")
        assert "arch_..." in before
        status, text, _ = await reader.post("/connect/sales/token", client="codex")
        assert status == 200
        assert len(set(re.findall(r"arch_\w{20,}", text))) == 1
        assert "arch_..." not in text
        assert re.search(r'id="client-codex"[^>]*checked', text)
        assert "Codex · sales" in (await reader.get("/my/access"))[1]


async def test_connect_says_whose_tokens_a_gateway_takes_and_which_clients_it_lets_in(console: Console) -> None:
    async with changing(console.pool, MAKER) as write:
        url = "https://mcp.example.com/v1/mcp/sales"
        provider = await acting.new_provider(write, "corp", "https://id.example.com", audiences=(url,))
        client, _ = await oauth_clients.create(write, acting.a_client(name="Chat"))
        named = (client.client_id, "https://gone.example.com/client.json")
        await acting.new_gateway(write, "sales", identity_provider_id=provider.id, allowed_clients=named)
        await acting.new_gateway(write, "open")
    async with reading(console, await console.person("Bea")) as reader:
        _, text = await reader.get("/connect/sales")
        assert "Your identity provider" in unescape(text)
        assert f"tokens of https://id.example.com for {url}" in text
        assert "No keys of the identity provider Corp are known" in text
        assert re.search(rf"<bdi>Chat</bdi> <span[^>]*>{client.client_id}", text)
        assert re.search(r"https://gone\.example\.com/client\.json</span> <span[^>]*>not here yet", text)
        assert "/identity-providers/" not in text
        _, text = await reader.get("/connect/open")
        assert "every client that its people sign in to" in text
        assert "identity provider" not in text.lower()
    async with reading(console, await console.person("Ed", "editor")) as reader:
        assert f'href="/identity-providers/{provider.id}"' in (await reader.get("/connect/sales"))[1]


async def test_an_admin_gives_a_role_of_their_own_and_takes_it_away(console: Console) -> None:
    bea = await console.person("Bea")
    async with changing(console.pool, MAKER) as write:
        team = await acting.new_team(write, "Red", bea.id)
        auditor = await acting.new_role(write, "Auditor", "record:read")
    path = f"/people/{bea.id}"
    async with reading(console, await console.person("Ann", "admin")) as reader:
        for team_id in ("", team.id):
            _, _, where = await reader.post(f"{path}/roles", role_id=auditor.id, team_id=team_id)
            assert where == f"{path}?said=role-given"
        _, text = await reader.get(path)
        assert text.count("Take Auditor away") == 2
        await reader.post(f"{path}/roles/take", role_id=auditor.id, team_id="")
        async with transaction(console.pool, readonly=True) as connection:
            assert [one.team_id for one in await roles.of_user(connection, bea.id)] == [team.id]


async def test_a_role_that_cannot_be_given_so_says_why_on_the_page(console: Console) -> None:
    bea = await console.person("Bea")
    async with changing(console.pool, MAKER) as write:
        team = await acting.new_team(write, "Red")
        auditor = await acting.new_role(write, "Auditor", "record:read")
    async with reading(console, await console.person("Ann", "admin")) as reader:
        status, text, _ = await reader.post(f"/people/{bea.id}/roles", role_id=auditor.id, team_id=team.id)
        assert status == 409
        assert "is not a team that this person is in" in text
    async with reading(console, bea) as reader:
        assert "Auditor" not in (await reader.get(f"/people/{bea.id}"))[1]
        assert (await reader.post(f"/people/{bea.id}/roles", role_id=auditor.id, team_id=""))[0] == 403


async def test_names_are_found_by_a_part_of_them(console: Console) -> None:
    async with transaction(console.pool) as connection:
        await seeded.gateway(connection, "sales-tools")
        await seeded.team(connection, "Salespeople")
    server = await an_entry(console, "salesforce")
    async with reading(console, await console.person("Sal Paradise", "admin")) as reader:
        _, text = await reader.get("/find?q=SAL")
        assert ["/connect/sales-tools" in text, "Salespeople" in text, "Sal Paradise" in text] == [True] * 3
        assert f'href="/registry/{server.id}"' in text
        assert "Nothing has such a name" in (await reader.get("/find?q=%25"))[1]


async def test_a_client_that_one_signed_in_to_is_listed_and_withdrawn(console: Console) -> None:
    bea = await console.person("Bea")
    async with transaction(console.pool) as connection:
        gateway_id = await seeded.gateway(connection, "sales")
    async with changing(console.pool, MAKER) as write:
        client, _ = await oauth_clients.create(write, acting.a_client())
        grant = await acting.new_grant(write, client, bea.id, gateway_id)
    async with transaction(console.pool) as connection:
        await oauth_grants.redeem(connection, digest(bea.id), grant.id)
    async with reading(console, bea) as reader:
        _, text = await reader.get("/my/access")
        assert grant.client_name in text
        assert f"/my/clients/{grant.id}/withdraw" in text
        assert (await reader.post(f"/my/clients/{grant.id}/withdraw"))[2] == "/my/access?said=client-withdrawn"
        assert "No client is connected" in (await reader.get("/my/access"))[1]
    async with reading(console, await console.person("Carl")) as reader:
        assert (await reader.post(f"/my/clients/{grant.id}/withdraw"))[0] == 404
