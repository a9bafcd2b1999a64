"""Key sets on a real PostgreSQL, from an issuer on loopback; an hour and a day pass by a clock of the test."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
from aiohttp import web

from control.changes import identity_providers as changes
from control.changes.safeguards import Safeguards
from control.changes.write import changing
from control.identity.discovery import NotApproved
from control.identity.key_sets import SIGN_IN_AGAIN_S, KeySets
from control.providers.asking import Asker, ProviderAway
from control.registry.identity_provider import IdentityProvider
from control.registry.row_seals import RowSeals
from control.store import identity_providers
from control.store.pool import Pool, transaction
from core.egress.addresses import AddressPolicy, parse_networks
from core.egress.client import Egress
from core.key_sets import COOL_DOWN_S, HARD_S, KeySet, KeySetQuestion, open_key_set
from core.keys import new_key, parse_key_ring
from core.signing import Signer, Verifier
from tests.fakes.issuer import FakeIssuer, rsa_jwk
from tests.fakes.providers import provider_fields
from tests.unit.control.changes.acting import ADMIN, outbox_of

LOOPBACK = AddressPolicy(parse_networks("127.0.0.0/8"))
SIGNER = Signer(parse_key_ring("K", new_key()))
SEALS = RowSeals(parse_key_ring("S", new_key()))
HOUR_S = 3_600.0


class Rig:
    """Key sets, the issuer that they come from, and the provider of the registry that names it."""

    def __init__(self, pool: Pool, issuer: FakeIssuer, egress: Egress) -> None:
        self.pool, self.issuer = pool, issuer
        self.ahead = 0.0
        self.key_sets = KeySets(pool, Asker(egress, LOOPBACK), SIGNER, clock=lambda: time.time() + self.ahead)
        self.provider: IdentityProvider

    async def add(self, **changes_made: Any) -> IdentityProvider:
        async with changing(self.pool, ADMIN) as write:
            wanted = provider_fields(issuer=self.issuer.issuer, **changes_made)
            self.provider = await changes.create(write, wanted, "secret", Safeguards(SEALS, LOOPBACK))
        return self.provider

    async def names(self, kid: str = "") -> set[str] | None:
        """The names of the keys as a proxy gets them; None for no document."""
        answer = await self.key_sets.answer(KeySetQuestion(self.issuer.issuer, kid))
        if not answer.document:
            return None
        found: KeySet = open_key_set(answer.document, self.issuer.issuer, Verifier("V", SIGNER.public_keys))
        return {key.kid for key in found.keys}

    async def fault(self) -> str:
        async with transaction(self.pool, readonly=True) as connection:
            return (await identity_providers.state(connection, self.provider.id)).fault

    async def pass_by(self, seconds: float) -> None:
        """So much later: for our clock, and for the database's moments."""
        self.ahead += seconds
        async with transaction(self.pool) as connection:
            await connection.execute(
                """update identity_provider_states set
                       tried_at = tried_at - make_interval(secs => $1)""",
                seconds,
            )


@pytest.fixture
async def rig(pool: Pool) -> AsyncIterator[Rig]:
    async with FakeIssuer() as issuer, Egress(LOOPBACK) as egress:
        made = Rig(pool, issuer, egress)
        yield made
        await made.key_sets.close()


async def test_the_keys_of_a_provider_are_fetched_once_and_signed(rig: Rig) -> None:
    await rig.add()
    assert await rig.names() == {"a"}
    assert await rig.names() == {"a"}
    assert rig.issuer.fetched == 1


async def test_an_issuer_that_is_not_in_the_registry_is_never_asked(rig: Rig) -> None:
    assert await rig.names("a") is None
    assert rig.issuer.asked == {}


async def test_a_provider_that_is_switched_off_has_no_keys(rig: Rig) -> None:
    await rig.add(enabled=False)
    assert await rig.names() is None
    assert rig.issuer.asked == {}


@pytest.mark.parametrize("minutes", [pytest.param(5, id="L-2: fetches of keys")])
async def test_in_five_minutes_of_questions_a_provider_is_asked_for_its_keys_once_more_at_most(
    rig: Rig, minutes: int
) -> None:
    await rig.add()
    for _ in range(minutes * 4):
        for _ in range(10):
            assert await rig.names() == {"a"}
        await rig.pass_by(15)
    assert rig.issuer.fetched <= 2


@pytest.mark.parametrize("callers", [pytest.param(50, id="F-12: unknown kid flood")])
async def test_all_who_bring_a_key_that_nobody_knows_make_one_question(rig: Rig, callers: int) -> None:
    await rig.add()
    await rig.names()
    await rig.pass_by(COOL_DOWN_S + 1)
    rig.issuer.hold.clear()
    rig.issuer.arrivals.get_nowait()
    async with asyncio.TaskGroup() as group:
        asking = [group.create_task(rig.names(f"unknown-{number}")) for number in range(callers)]
        await rig.issuer.arrivals.get()
        rig.issuer.hold.set()
    assert all(one.result() == {"a"} for one in asking)
    assert rig.issuer.fetched == 2
    assert await rig.names("unknown-again") == {"a"}
    assert rig.issuer.fetched == 2


@pytest.mark.parametrize("kid", [pytest.param("b", id="F-12: rotated")])
async def test_keys_that_changed_are_found_by_the_first_token_that_names_one_and_announced(
    rig: Rig, pool: Pool, kid: str
) -> None:
    await rig.add()
    await rig.names()
    rig.issuer.keys = [rsa_jwk(kid)]
    await rig.pass_by(COOL_DOWN_S + 1)
    assert await rig.names(kid) == {kid}
    assert ("provider", rig.issuer.issuer, 0) in await outbox_of(pool)


async def test_all_who_want_to_sign_in_with_a_provider_that_is_away_make_one_question_in_a_while(rig: Rig) -> None:
    """Anybody may open the sign-in page, as often as they like."""
    provider = await rig.add()
    rig.issuer.metadata = {"issuer": "https://other.example"}
    answers = await asyncio.gather(*(rig.key_sets.endpoints(provider) for _ in range(20)), return_exceptions=True)
    assert {type(answer) for answer in answers} == {ProviderAway}
    with pytest.raises(ProviderAway, match="metadata of another issuer"):
        await rig.key_sets.endpoints(provider)
    assert rig.issuer.asked["metadata"] == 1

    rig.issuer.metadata = {}
    await rig.pass_by(SIGN_IN_AGAIN_S + 1)
    assert (await rig.key_sets.endpoints(provider)).jwks_uri == f"{rig.issuer.issuer}/keys"


async def test_where_people_sign_in_is_asked_once_they_may_of_a_provider_that_had_only_keys(rig: Rig) -> None:
    jobs = await rig.add(sign_in=False)
    rig.issuer.metadata = {"authorization_endpoint": None, "token_endpoint": None}
    assert await rig.names() == {"a"}
    people = replace(jobs, sign_in=True)
    with pytest.raises(ProviderAway):
        await rig.key_sets.endpoints(people)
    rig.issuer.metadata = {}
    await rig.pass_by(SIGN_IN_AGAIN_S + 1)
    assert (await rig.key_sets.endpoints(people)).token_endpoint == f"{rig.issuer.issuer}/token"


BROKEN = {
    "endpoint down": lambda: web.Response(status=503),
    "404": lambda: web.Response(status=404),
    "empty set": lambda: web.json_response({"keys": []}),
    "10 MiB": lambda: web.Response(body=b"[" * (10 << 20)),
    "not JSON": lambda: web.Response(text="<html>"),
    "redirect": lambda: web.Response(status=302, headers={"Location": "http://169.254.169.254/"}),
}


@pytest.mark.parametrize("answer", [pytest.param(answer, id=f"F-12: {name}") for name, answer in BROKEN.items()])
async def test_the_keys_of_before_are_used_for_a_day_while_the_provider_says_nothing(rig: Rig, answer: Any) -> None:
    await rig.add()
    await rig.names()
    rig.issuer.answer_keys = answer
    await rig.pass_by(HOUR_S)
    assert await rig.names("b") == {"a"}
    assert rig.issuer.fetched == 2
    assert await rig.fault() != ""
    await rig.pass_by(HARD_S - HOUR_S - 60)
    assert await rig.names("c") == {"a"}
    await rig.pass_by(120)
    assert await rig.names("d") is None


async def test_a_provider_that_is_back_is_believed_again(rig: Rig) -> None:
    await rig.add()
    await rig.names()
    rig.issuer.answer_keys = BROKEN["endpoint down"]
    await rig.pass_by(HOUR_S)
    await rig.names("b")
    rig.issuer.answer_keys, rig.issuer.keys = None, [rsa_jwk("b")]
    await rig.pass_by(COOL_DOWN_S + 1)
    assert await rig.names("b") == {"b"}
    assert await rig.fault() == ""


@pytest.mark.parametrize("seconds", [pytest.param(HARD_S, id="F-12: expired")])
async def test_keys_that_nobody_has_confirmed_for_a_day_prove_nothing(rig: Rig, seconds: float) -> None:
    await rig.add()
    assert await rig.names() == {"a"}
    rig.ahead = seconds - 60
    assert await rig.names() == {"a"}
    rig.ahead = seconds
    assert await rig.names() is None


@pytest.mark.parametrize("kid", [pytest.param("b", id="F-12: slow")])
async def test_a_slow_provider_keeps_nobody_waiting_who_has_keys(rig: Rig, kid: str) -> None:
    await rig.add()
    await rig.names()
    await rig.pass_by(COOL_DOWN_S + 1)
    rig.issuer.hold.clear()
    assert await rig.names(kid) == {"a"}  # long before the provider's own deadline
    rig.issuer.hold.set()


async def test_metadata_of_another_issuer_is_not_believed(rig: Rig) -> None:
    rig.issuer.metadata = {"issuer": "http://127.0.0.1:1"}
    provider = await rig.add()
    with pytest.raises(ProviderAway):
        await rig.key_sets.refresh(provider)
    assert await rig.names() is None
    assert rig.issuer.fetched == 0


async def test_nothing_is_fetched_at_a_host_that_nobody_approved(rig: Rig) -> None:
    async with FakeIssuer() as elsewhere:
        rig.issuer.metadata = {"jwks_uri": f"{elsewhere.issuer}/keys"}
        provider = await rig.add()
        with pytest.raises(NotApproved):
            await rig.key_sets.refresh(provider)
        assert elsewhere.asked == {}
        async with changing(rig.pool, ADMIN) as write:
            wanted = provider_fields(issuer=rig.issuer.issuer, approved_hosts=(elsewhere.issuer,))
            approved = await changes.change(write, provider.id, lambda _: wanted, None, Safeguards(SEALS, LOOPBACK))
        await rig.key_sets.refresh(approved)
        assert elsewhere.fetched == 1
    assert await rig.names() == {"a"}


async def test_two_replicas_share_what_one_has_fetched(rig: Rig) -> None:
    await rig.add()
    await rig.names()
    async with Egress(LOOPBACK) as egress:
        other = KeySets(rig.pool, Asker(egress, LOOPBACK), SIGNER)
        assert (await other.answer(KeySetQuestion(rig.issuer.issuer, "unknown"))).document
        await other.close()
    assert rig.issuer.fetched == 1
