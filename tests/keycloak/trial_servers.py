"""A realm of Keycloak as the provider of an MCP server: the SDK's server, `archway up`, people who sign in.

What other providers show in every run of the tests (`tests/oauth_providers/`, `tests/control/test_install_links.py`,
`test_renewals_at_a_real_provider.py`), shown once more with the one that many companies have. Run by `make keycloak`.
"""

from __future__ import annotations

import asyncio
import time
from itertools import pairwise
from typing import Any

import pytest

from control.accounts.times import FRESH
from tests.fakes.keycloak_tools import CLIENT, PUBLIC, SECRET
from tests.fixtures_system import eventually
from tests.keycloak.notes import Notes, PersonHere

pytestmark = pytest.mark.timeout(900)
SCOPES = ["openid", "email", "notes:read", "offline_access"]
LIFE_S = 30
"""Of an access token where its end is waited for: well above the seconds that a proxy leaves of it unused."""
CALLS = 50
YOUNG_S = FRESH.total_seconds() + 1
"""A younger token is not renewed because its server refuses it: the next one would be refused too."""


async def with_secret(notes: Notes, **more: Any) -> dict[str, Any]:
    """An entry whose client was registered by hand."""
    told = {"client_id": CLIENT, "issuer": notes.realm.issuer, "scopes": SCOPES, **more}
    return await notes.entry("oauth", SECRET, **told)


async def connected(notes: Notes, **more: Any) -> tuple[PersonHere, str]:
    """Ann with an account, and the installation that holds it."""
    await with_secret(notes, **more)
    ann = await notes.person("Ann")
    installation = await ann.connect("ann")
    await notes.ready(installation)
    await notes.show()
    await notes.until(ann, "ok")
    return ann, installation


@pytest.mark.parametrize("how", ["secret", "public", "dynamic"])
async def test_each_person_signs_in_and_calls_carry_their_own_token(notes: Notes, how: str) -> None:
    client = {"secret": CLIENT, "public": PUBLIC}.get(how)
    own = {"client_id": client, "issuer": notes.realm.issuer} if client else {}
    if how == "dynamic":
        await notes.realm.trust_host("127.0.0.1")
    await notes.entry("oauth", SECRET if how == "secret" else None, scopes=SCOPES, **own)
    ann, bob = await notes.person("Ann"), await notes.person("Bob")
    installation = await notes.ready(await ann.connect("ann"))
    assert installation["account"]["name"] == "ann@corp.test"
    await notes.show()
    await notes.until(ann, "ok")
    refused = await notes.call(bob)
    assert (refused.status, "/install/notes?as=" in refused.sentence) == ("credential_missing", True)
    await notes.ready(await bob.connect("bob"))
    await notes.until(bob, "ok")
    for who, name in ((ann, "ann"), (bob, "bob")):
        claims = await notes.claims(who)
        assert claims["preferred_username"] == name
        assert claims["azp"] == client or how == "dynamic"


async def test_where_keycloak_registers_no_strangers_the_page_tells_whom_to_ask(notes: Notes) -> None:
    await notes.entry("oauth", scopes=SCOPES)
    ann = await notes.person("Ann")
    page = await ann.begin()
    assert "refused to register Archway (403 insufficient_scope)" in page.words, (page.status, page.words)
    assert await notes.realm.events("LOGIN") == []


async def test_a_token_without_the_mapper_s_audience_is_refused_by_the_server_and_the_installation_says_so(
    notes: Notes,
) -> None:
    await with_secret(notes, scopes=["openid", "email", "offline_access"])
    installation = await (await notes.person("Ann")).connect("ann")
    told = await notes.in_state(installation, "credential_refused")
    assert "does not accept" in told["state_reason"], told
    assert told["account"]["name"] == "ann@corp.test"


async def test_a_token_is_renewed_ahead_of_its_end_and_no_call_notices(notes: Notes) -> None:
    await notes.realm.change(accessTokenLifespan=LIFE_S)
    ann, _ = await connected(notes)
    seen: dict[str, int] = {}
    end = time.monotonic() + 2.5 * LIFE_S
    while len(seen) < 3 and time.monotonic() < end:
        claims = await notes.claims(ann)
        assert claims["exp"] > time.time()
        seen[claims["jti"]] = claims["iat"]
        await asyncio.sleep(0.25)
    assert len(seen) == 3
    issued = list(seen.values())
    assert all(later - earlier < LIFE_S for earlier, later in pairwise(issued))
    assert len(await notes.realm.events("REFRESH_TOKEN")) == 2
    assert await notes.realm.events("REFRESH_TOKEN_ERROR") == []


async def test_a_token_that_the_server_refuses_is_renewed_once_for_all_calls_at_a_time(notes: Notes) -> None:
    ann, installation = await connected(notes)
    before = await notes.claims(ann)
    await asyncio.sleep(YOUNG_S)
    await notes.realm.withdraw_keys()
    notes.serve("notes:read")  # it remembers no key of before
    found = await asyncio.gather(*(notes.claims(ann) for _ in range(CALLS)))
    assert {claims["jti"] for claims in found} == {found[0]["jti"]} != {before["jti"]}
    assert len(await notes.realm.events("REFRESH_TOKEN")) == 1
    assert await notes.realm.events("REFRESH_TOKEN_ERROR") == []
    assert (await notes.installation(installation))["state"] == "ready"


async def test_here_a_refresh_token_is_good_once_and_whoever_brings_it_twice_ends_the_session(notes: Notes) -> None:
    """So one refresh for fifty calls is no luck: a second one would have signed Ann out."""
    first = await notes.realm.password_tokens("ann")
    form = {"grant_type": "refresh_token", "client_id": PUBLIC}
    status, second = await notes.realm.token_endpoint(refresh_token=first["refresh_token"], **form)
    assert status == 200
    for token in (first, second):
        status, said = await notes.realm.token_endpoint(refresh_token=token["refresh_token"], **form)
        assert (status, said["error"]) == (400, "invalid_grant")
    await notes.realm.change(refreshTokenMaxReuse=1)  # as the page has it, for answers that are lost on the way
    token = await notes.realm.password_tokens("ann")
    both = [await notes.realm.token_endpoint(refresh_token=token["refresh_token"], **form) for _ in range(2)]
    assert [status for status, _ in both] == [200, 200]


@pytest.mark.parametrize("how", ["that session", "all of the person's"])
async def test_whose_session_is_ended_there_signs_in_again_and_nobody_else_has_to(notes: Notes, how: str) -> None:
    ann, installation = await connected(notes)
    bob = await notes.person("Bob")
    await notes.ready(await bob.connect("bob"))
    await notes.until(bob, "ok")
    await asyncio.sleep(YOUNG_S)
    if how == "that session":
        await notes.realm.end_session((await notes.claims(ann))["sid"])
    else:
        await notes.realm.log_out("ann")
    refused = await notes.until(ann, "needs_sign_in")
    assert "was signed out by its provider" in refused.sentence
    link = refused.result["_meta"]["archway/refusal"]["link"]
    assert link.startswith(f"{notes.pages_url}/install/notes?as=user%3A{ann.user['id']}&installation=")
    told = await notes.installation(installation)
    assert (told["standing"]["word"], told["account"]["signed_out"]) == ("needs_sign_in_again", True), told
    assert "invalid_grant" in told["standing"]["cause"], told
    assert "/install/notes" in told["standing"]["cure"]
    assert (await notes.claims(bob))["preferred_username"] == "bob"
    ann.jar.cookie_jar.clear()
    assert await ann.connect("ann", link.removeprefix(notes.pages_url)) == installation
    await notes.until(ann, "ok")


@pytest.mark.parametrize("how", ["disconnected", "installation deleted"])
async def test_an_account_that_is_taken_away_here_is_revoked_there(notes: Notes, how: str) -> None:
    ann, installation = await connected(notes)
    token = notes.last_token()
    assert await notes.realm.knows(token, notes.url)
    path = f"/installations/{installation}"
    await notes.asked("delete", f"{path}/account" if how == "disconnected" else path)
    await notes.until(ann, "needs_sign_in" if how == "disconnected" else "credential_missing")

    async def revoked() -> bool:
        return len(await notes.realm.events("REVOKE_GRANT")) == 1

    await eventually(revoked, 30, "Keycloak is told")
    assert not await notes.realm.knows(token, notes.url)
    user, (client,) = await notes.realm.user("ann"), await notes.realm.ask("GET", f"/clients?clientId={CLIENT}")
    assert await notes.realm.ask("GET", f"/users/{user}/offline-sessions/{client['id']}") == []


async def test_a_server_that_wants_more_scopes_leads_to_a_sign_in_that_brings_them(notes: Notes) -> None:
    ann, installation = await connected(notes, scopes=[])
    assert "notes:write" not in (await notes.claims(ann))["scope"]
    notes.serve("notes:read", "notes:write")
    refused = await notes.call(ann)
    assert (refused.status, "its server asks for more access" in refused.sentence) == ("needs_sign_in", True)
    link = refused.result["_meta"]["archway/refusal"]["link"].removeprefix(notes.pages_url)
    page = await ann.browser.get(link)
    assert "notes:write" in page.words
    assert await ann.connect("ann", link) == installation
    await notes.until(ann, "ok")
    assert {"notes:read", "notes:write"} <= set((await notes.claims(ann))["scope"].split())
