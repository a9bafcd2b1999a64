from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from unittest.mock import patch

import pytest
from msgspec.structs import replace

from core.key_sets import COOL_DOWN_S, KeySetAnswer, KeySetQuestion, sign_key_set
from core.keys import new_key, parse_key_ring
from core.signing import Signer, Verifier
from core.tasks import Tasks
from proxy.caches.two_ages import Aged, SourceUnreachable
from proxy.redis import RedisAway
from proxy.resolve.control_pulse import ControlPulse
from proxy.resolve.key_sets import IssuerUnknown, KeySetDocument, KeySets
from tests.fakes.issuers import FakeIssuer
from tests.plugins.moved_clock import MovedClock

RING = parse_key_ring("proxy", new_key())
SIGNER = Signer(parse_key_ring("signing", new_key()))
ISSUER = "https://idp.example"
HARD = 3600.0


class NoRedis:
    """Redis is away throughout."""

    @property
    def commands(self) -> NoRedis:
        return self

    def __getattr__(self, name: str) -> object:
        return lambda *_, **__: None

    async def ask(self, command: object) -> object:
        raise RedisAway


class Control:
    def __init__(self) -> None:
        self.issuers = {ISSUER: FakeIssuer(ISSUER)}
        self.signer = SIGNER
        self.asked: list[KeySetQuestion] = []
        self.down = False
        self.pulse = ControlPulse()

    async def key_set(self, question: KeySetQuestion) -> KeySetAnswer:
        self.asked.append(question)
        await asyncio.sleep(0)
        if self.down:
            raise SourceUnreachable
        issuer = self.issuers.get(question.issuer)
        return KeySetAnswer() if issuer is None else KeySetAnswer(sign_key_set(issuer.key_set(), self.signer))


@pytest.fixture
def control() -> Control:
    return Control()


@pytest.fixture
async def keys(control: Control) -> AsyncIterator[KeySets]:
    tasks = Tasks("test", quiet=(IssuerUnknown, SourceUnreachable))
    yield KeySets(
        control, NoRedis(), RING, Verifier("V", SIGNER.public_keys), hard=HARD, tasks=tasks  # type: ignore[arg-type]
    )  # fmt: skip
    await tasks.close()


async def test_keys_are_asked_for_once_and_then_known(keys: KeySets, control: Control) -> None:
    assert keys.young(ISSUER) is None
    found = await asyncio.gather(*(keys.of(ISSUER) for _ in range(20)))
    assert {one.revision for one in found} == {control.issuers[ISSUER].revision}
    assert keys.young(ISSUER) == found[0]
    assert keys.holds(ISSUER)
    assert len(control.asked) == keys.questions == 1


async def test_an_issuer_that_control_does_not_know_is_asked_about_once_in_a_while(
    keys: KeySets, control: Control, clock: MovedClock
) -> None:
    for _ in range(5):
        with pytest.raises(IssuerUnknown):
            await keys.of("https://nobody.example")
    assert len(control.asked) == 1
    clock.pass_by(11)
    with pytest.raises(IssuerUnknown):
        await keys.of("https://nobody.example")
    assert len(control.asked) == 2


async def test_keys_that_control_has_not_signed_are_none(keys: KeySets, control: Control) -> None:
    control.signer = Signer(parse_key_ring("signing", new_key()))
    with pytest.raises(SourceUnreachable):
        await keys.of(ISSUER)
    assert not keys.holds(ISSUER)


async def test_a_copy_that_control_has_not_signed_is_thrown_away(keys: KeySets, control: Control) -> None:
    forged = sign_key_set(FakeIssuer(ISSUER).key_set(), Signer(parse_key_ring("signing", new_key())))
    keys.held.memory.put(ISSUER, Aged(KeySetDocument(forged), time.monotonic()))
    assert keys.young(ISSUER) is None
    assert not keys.holds(ISSUER)
    assert await keys.of(ISSUER)


async def test_keys_serve_past_their_soft_age_while_control_is_away_and_not_past_the_hard_one(
    keys: KeySets, control: Control, clock: MovedClock
) -> None:
    control.issuers[ISSUER].good_s = 10 * HARD
    await keys.of(ISSUER)
    control.down = True
    clock.pass_by(HARD / 2)
    assert keys.young(ISSUER) is None
    assert await keys.of(ISSUER)
    clock.pass_by(HARD / 2)
    with pytest.raises(SourceUnreachable):
        await keys.of(ISSUER)


async def test_keys_do_not_serve_past_their_own_end(keys: KeySets, control: Control) -> None:
    control.issuers[ISSUER].good_s = 100
    await keys.of(ISSUER)
    control.down = True
    with patch("time.time", return_value=time.time() + 101):
        assert keys.young(ISSUER) is None
        with pytest.raises(SourceUnreachable):
            await keys.of(ISSUER)


async def test_a_flood_of_unknown_keys_costs_one_question_a_minute(
    keys: KeySets, control: Control, clock: MovedClock
) -> None:
    await keys.of(ISSUER)
    kid = control.issuers[ISSUER].rotate()
    found = await asyncio.gather(*(keys.newer(ISSUER, f"made-up-{number}") for number in range(50)))
    assert all(one is not None and kid in one.by_kid for one in found)
    assert [question.kid for question in control.asked] == ["", "made-up-0"]

    for number in range(50):
        assert await keys.newer(ISSUER, f"again-{number}") is None
    assert len(control.asked) == 2
    clock.pass_by(COOL_DOWN_S + 1)
    assert await keys.newer(ISSUER, "later") is not None
    assert len(control.asked) == 3


async def test_one_issuers_unknown_keys_do_not_keep_anothers_from_being_found(
    keys: KeySets, control: Control
) -> None:
    control.issuers["https://other.example"] = FakeIssuer("https://other.example")
    await keys.of(ISSUER)
    await keys.of("https://other.example")
    await keys.newer(ISSUER, "made-up")
    kid = control.issuers["https://other.example"].rotate()
    found = await keys.newer("https://other.example", kid)
    assert found is not None
    assert kid in found.by_kid


async def test_keys_stay_as_good_as_they_were_where_newer_ones_cannot_be_had(keys: KeySets, control: Control) -> None:
    before = await keys.of(ISSUER)
    control.down = True
    assert await keys.newer(ISSUER, "made-up") == before
    control.down = False
    del control.issuers[ISSUER]
    assert keys.young(ISSUER) == before


async def test_a_change_has_them_asked_for_again_at_once_an_unknown_issuer_too(
    keys: KeySets, control: Control
) -> None:
    with pytest.raises(IssuerUnknown):
        await keys.of("https://new.example")
    before = await keys.of(ISSUER)
    await keys.newer(ISSUER, "made-up")
    control.issuers["https://new.example"] = FakeIssuer("https://new.example")
    kid = control.issuers[ISSUER].rotate()
    for issuer in (ISSUER, "https://new.example"):
        await keys.forget(issuer)
    assert await keys.of("https://new.example")
    after = await keys.of(ISSUER)
    assert (kid in after.by_kid, kid in before.by_kid) == (True, False)


async def test_in_doubt_keys_are_asked_for_again_before_they_are_used(keys: KeySets, control: Control) -> None:
    await keys.of(ISSUER)
    keys.doubt()
    assert keys.young(ISSUER) is None
    await keys.of(ISSUER)
    assert len(control.asked) == 2


async def test_an_older_format_is_read_and_a_later_one_is_not(keys: KeySets, control: Control) -> None:
    whole = control.issuers[ISSUER].key_set
    control.issuers[ISSUER].key_set = lambda: replace(whole(), format=2)  # type: ignore[method-assign]
    with pytest.raises(SourceUnreachable):
        await keys.of(ISSUER)
