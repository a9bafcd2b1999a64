"""What ends the access that an identity provider's word gave: control's verdict on such a token, and who is told."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest

from control.changes import identities, identity_providers, oauth_grants, users
from control.changes.write import changing
from control.internal.own_callers import OwnCallers
from control.public.deps import PublicDeps
from control.registry.user import NewUser
from control.store import oauth_grants as grants
from control.store.pool import transaction
from core.resolve import CallerVerdict, JwtProof
from tests.fakes.issuer import FakeIssuer
from tests.fakes.providers import provider_fields
from tests.fixtures_people import NOBODY
from tests.oauth.asserting import SAFEGUARDS, AssertingCorp


@pytest.fixture
def callers(public_deps: PublicDeps) -> OwnCallers:
    return OwnCallers(public_deps.pool, public_deps.access_tokens, public_deps.signer, public_deps.public_url)


async def token_of(corp: AssertingCorp) -> str:
    answer = await corp.exchange()
    assert answer.status == 200, answer.body
    return str(answer.json["access_token"])


async def verdict(callers: OwnCallers, token: str) -> CallerVerdict:
    return await callers.verdict(JwtProof.of(token))


async def announced(corp: AssertingCorp) -> set[tuple[str, str]]:
    rows = await corp.flow.people.rows("select kind, name from outbox")
    return {(row["kind"], row["name"]) for row in rows}


async def test_the_bearer_is_the_person_and_the_verdict_says_how_they_came(
    corp: AssertingCorp, callers: OwnCallers
) -> None:
    told = await verdict(callers, await token_of(corp))
    assert told.principal is not None
    assert (told.principal.kind, told.principal.id) == ("user", corp.ann)
    assert (told.auth, told.by_assertion, told.way) == ("oauth", True, "id_jag")
    assert told.client == corp.client.client_id


async def takes_no_assertions(corp: AssertingCorp) -> tuple[str, str]:
    await corp.change_gateway(takes_assertions=False, identity_provider_id=None)
    return "client", corp.client.client_id


async def takes_those_of_another_provider(corp: AssertingCorp) -> tuple[str, str]:
    async with FakeIssuer() as other, changing(corp.flow.pool, NOBODY) as write:
        wanted = provider_fields(slug="other", issuer=other.issuer)
        provider = await identity_providers.create(write, wanted, "secret", SAFEGUARDS)
    await corp.change_gateway(identity_provider_id=provider.id)
    return "client", corp.client.client_id


async def provider_is_off(corp: AssertingCorp) -> tuple[str, str]:
    await corp.change_provider(enabled=False)
    return "provider", corp.provider.issuer


async def person_is_unlinked(corp: AssertingCorp) -> tuple[str, str]:
    (identity,) = await corp.flow.people.rows("select id from identities")
    async with changing(corp.flow.pool, NOBODY) as write:
        await identities.unlink(write, identity["id"])
    return "user", corp.ann


async def person_is_shut_out(corp: AssertingCorp) -> tuple[str, str]:
    async with changing(corp.flow.pool, NOBODY) as write:
        await users.create(write, NewUser(name="Root", email="root@corp.test", role="admin"))
        await users.disable(write, corp.ann)
    return "user", corp.ann


async def grant_is_taken_back(corp: AssertingCorp) -> tuple[str, str]:
    (grant,) = await corp.grants()
    async with changing(corp.flow.pool, NOBODY) as write:
        await oauth_grants.revoke(write, grant["id"])
    return "grant", grant["id"]


async def client_is_not_let_in(corp: AssertingCorp) -> tuple[str, str]:
    await corp.change_gateway(allowed_clients=("https://another.example/client.json",))
    return "client", corp.client.client_id


Ends = Callable[[AssertingCorp], Awaitable[tuple[str, str]]]
ENDINGS: dict[Ends, str] = {
    takes_no_assertions: "revoked",
    takes_those_of_another_provider: "revoked",
    provider_is_off: "revoked",
    person_is_unlinked: "revoked",
    person_is_shut_out: "disabled",
    grant_is_taken_back: "revoked",
    client_is_not_let_in: "revoked",
}


@pytest.mark.parametrize("ends", ENDINGS, ids=lambda one: one.__name__)
async def test_what_the_access_rests_on_ends_it_and_proxies_hear_of_it(
    corp: AssertingCorp, callers: OwnCallers, ends: Ends
) -> None:
    token = await token_of(corp)
    assert (await verdict(callers, token)).principal is not None
    await corp.flow.people.rows("delete from outbox")

    told = await ends(corp)

    found = await verdict(callers, token)
    assert (found.principal, found.refusal) == (None, ENDINGS[ends])
    assert told in await announced(corp)


async def test_such_a_grant_is_listed_with_the_others_and_says_what_it_is(corp: AssertingCorp) -> None:
    await token_of(corp)
    async with transaction(corp.flow.pool, readonly=True) as connection:
        (shown,) = await grants.page(connection, limit=9, after=None, everything=False, of_user=corp.ann)
    assert (shown.by_assertion, shown.vouched_for, shown.client_name) == (True, True, "Agent")


async def test_a_person_whose_account_there_was_unlinked_gets_a_grant_of_the_next(
    corp: AssertingCorp, callers: OwnCallers
) -> None:
    old = await token_of(corp)
    await person_is_unlinked(corp)
    again = await corp.exchange(corp.assertion(sub="ann-2"))
    assert again.status == 200, again.body
    assert (await verdict(callers, again.json["access_token"])).principal is not None
    assert (await verdict(callers, old)).principal is None
    first, second = await corp.grants()
    assert (first["revoked_at"] is not None, second["revoked_at"]) == (True, None)
