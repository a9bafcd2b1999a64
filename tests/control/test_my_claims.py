"""What a provider said of a person at their last sign-in: theirs to see, on their page and over the API."""

from __future__ import annotations

from control.admin.deps import Deps
from control.changes import identities, identity_providers, teams
from control.changes.write import changing
from control.identity.said_claims import SaidClaims
from control.registry.identity import SignInGiven
from control.registry.identity_provider import TeamRule
from control.registry.team import NewTeam
from tests.control.corp_sign_in import Corp
from tests.fakes.providers import a_person, provider_fields
from tests.fixtures_admin import AdminClient
from tests.fixtures_people import NOBODY, PASSWORD


async def ruled(corp: Corp) -> None:
    async with changing(corp.people.pool, NOBODY) as write:
        team = await teams.create(write, NewTeam(name="Engineering", description=""))
    await corp.change(teams_claim="groups", team_rules=(TeamRule("eng", team.id),))


async def test_a_person_reads_on_their_page_what_their_provider_said_and_what_it_gives(corp: Corp) -> None:
    await ruled(corp)
    await corp.ann()
    await corp.idp.person("ann", {"groups": ["eng", "lunch"]})
    browser = await corp.people.browser()
    await corp.sign_in(browser, "ann")
    page = (await browser.get("/my/access")).words
    assert "What Corp says of you" in page
    assert "eng groups the team Engineering, as member" in page
    assert "lunch groups nothing: no rule fits" in page
    for left_out in ("nonce", "SaidBy", "client_secret"):
        assert left_out not in page


async def test_the_next_sign_in_replaces_what_the_last_one_said(corp: Corp) -> None:
    await ruled(corp)
    await corp.ann()
    for groups in (["eng"], ["lunch"]):
        await corp.idp.person("ann", {"groups": groups})
        browser = await corp.people.browser()
        await corp.sign_in(browser, "ann")
    page = (await browser.get("/my/access")).words
    assert "lunch groups nothing: no rule fits" in page
    assert "the team Engineering, as" not in page


async def test_what_is_kept_cannot_be_read_in_the_database(corp: Corp) -> None:
    await corp.ann()
    await corp.sign_in(await corp.people.browser(), "ann")
    ((claims,),) = await corp.people.rows("select claims from identities")
    assert claims is not None
    assert b"ann@corp.test" not in claims


async def test_nobody_else_is_shown_it(corp: Corp) -> None:
    await corp.ann()
    await corp.sign_in(await corp.people.browser(), "ann")
    root = await corp.people.person("Root", PASSWORD, role="admin")
    browser = await corp.people.browser()
    await browser.sign_in(root["email"], PASSWORD)
    assert "says of you" not in (await browser.get("/my/access")).words
    for path in (f"/identity-providers/{corp.provider.id}", "/people"):
        assert "Ann Archer" not in (await browser.get(path)).words


async def test_the_api_tells_it_to_the_person_alone(admin: AdminClient, deps: Deps) -> None:
    ann = await admin.as_new_user("Ann")
    seals = deps.safeguards.seals
    async with changing(deps.pool, NOBODY) as write:
        provider = await identity_providers.create(write, provider_fields(), "secret", deps.safeguards)
        identity = await identities.link(write, provider, a_person(), ann.user["id"])
        claims = SaidClaims({"sub": "ann", "name": "Ann"}, left_out=2).packed()
        given = SignInGiven(claims=seals.provider_claims(identity.id, claims))
        await identities.sign_in(write, provider, identity, a_person(), given)
    (said,) = (await ann.get("/me/claims")).json["items"]
    assert (said["provider"], said["left_out"]) == ("Corp", 2)
    told = {one["name"]: one for one in said["claims"]}
    assert told["name"]["values"] == [
        {"value": "Ann", "gives": "your name, if your account here is made at a sign-in"}
    ]
    assert told["email"] == {
        "name": "email", "values": [], "note": "Archway looks for this, and the provider did not send it.",
    }  # fmt: skip
    assert (await admin.get("/me/claims")).json == {"items": []}


async def test_what_cannot_be_opened_any_more_is_left_out(admin: AdminClient, deps: Deps) -> None:
    ann = await admin.as_new_user("Ann")
    async with changing(deps.pool, NOBODY) as write:
        provider = await identity_providers.create(write, provider_fields(), "secret", deps.safeguards)
        identity = await identities.link(write, provider, a_person(), ann.user["id"])
        moved = deps.safeguards.seals.provider_claims("another identity", SaidClaims({"sub": "bea"}).packed())
        await identities.sign_in(write, provider, identity, a_person(), SignInGiven(claims=moved))
    assert (await ann.get("/me/claims")).json == {"items": []}
