from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator

import msgspec
import pytest

from core.keys import new_key, parse_key_ring
from core.resolve import (
    AuthKind,
    CallerQuestion,
    CallerVerdict,
    Credential,
    JwtProof,
    Principal,
    Proof,
    TokenProof,
)
from core.tasks import Tasks
from proxy.caches.redis_copy import SealedForm
from proxy.caches.two_ages import Aged, SourceUnreachable
from proxy.redis import RedisAway
from proxy.refusals import Refusal
from proxy.resolve.caller_verdicts import Authority
from proxy.resolve.control_pulse import ControlPulse
from tests.fakes.proxy_parts import user
from tests.fakes.version_before import TokenVerdict, as_before

RING = parse_key_ring("proxy", new_key())
TOKEN, OTHER = "a" * 64, "b" * 64
PROOF = TokenProof(TOKEN)


class NoRedis:
    """Redis is away throughout: what is told here is about memory and control."""

    @property
    def commands(self) -> NoRedis:
        return self

    def __getattr__(self, name: str) -> object:
        return lambda *_, **__: None

    async def ask(self, command: object) -> object:
        raise RedisAway


class Control:
    def __init__(self) -> None:
        self.verdicts: dict[str, CallerVerdict] = {}
        self.asked: list[str] = []
        self.down = False
        self.pulse = ControlPulse()

    async def caller(self, question: CallerQuestion) -> CallerVerdict:
        self.asked.append(question.digest)
        if self.down:
            raise SourceUnreachable
        return self.verdicts.get(question.digest) or CallerVerdict(question.digest, refusal="unknown")

    async def callers(self, questions: list[CallerQuestion]) -> dict[CallerQuestion, CallerVerdict]:
        return {question: await self.caller(question) for question in questions}

    def knows(self, digest: str, principal: Principal, expires: float | None = None) -> CallerVerdict:
        self.verdicts[digest] = CallerVerdict(digest, principal, "id", expires)
        return self.verdicts[digest]


@pytest.fixture
def control() -> Control:
    return Control()


@pytest.fixture
async def authority(control: Control) -> AsyncIterator[Authority]:
    tasks = Tasks("test", quiet=(Refusal, SourceUnreachable))
    yield Authority(
        control, NoRedis(), RING, soft=60, hard=600, unknown_per_second=5, tasks=tasks, gathered=0.0  # type: ignore[arg-type]
    )  # fmt: skip
    await tasks.close()


async def test_a_verdict_is_asked_once_and_then_known(authority: Authority, control: Control) -> None:
    verdict = control.knows(TOKEN, user())
    assert authority.known(PROOF) is None
    assert await authority.verdict(PROOF, "x") == verdict
    assert authority.known(PROOF) == verdict
    assert control.asked == [TOKEN]


async def test_a_refused_token_is_remembered_for_a_moment(authority: Authority, control: Control) -> None:
    with pytest.raises(Refusal, match="not_authenticated"):
        await authority.verdict(PROOF, "x")
    assert authority.refused_lately(TOKEN)
    assert not authority.refused_lately(OTHER)
    await authority.forget(TOKEN)  # it was issued
    assert not authority.refused_lately(TOKEN)


async def test_an_answer_about_another_token_is_no_verdict(authority: Authority, control: Control) -> None:
    control.verdicts[TOKEN] = CallerVerdict(OTHER, user(), "id")
    with pytest.raises(Refusal, match="not_authenticated"):
        await authority.verdict(PROOF, "x")


async def test_a_verdict_that_expired_on_its_way_is_none(authority: Authority, control: Control) -> None:
    control.knows(TOKEN, user(), expires=time.time() - 0.001)
    with pytest.raises(Refusal, match="not_authenticated"):
        await authority.verdict(PROOF, "x")
    assert authority.known(PROOF) is None


async def test_strangers_have_a_budget_that_known_tokens_do_not_need(authority: Authority, control: Control) -> None:
    control.knows(TOKEN, user())
    await authority.verdict(PROOF, "flooding")
    reasons = []
    for number in range(20):
        with pytest.raises(Refusal) as caught:
            await authority.verdict(TokenProof(f"{number:064}"), "flooding")
        reasons.append(caught.value.reason)
    assert reasons == ["not_authenticated"] * 4 + ["too_many_unknown"] * 16
    authority.verdicts.memory.doubt_all()
    assert await authority.verdict(PROOF, "flooding")


@pytest.mark.parametrize(
    ("kind", "identifier", "concerned"),
    [
        ("user", "ada", True),
        ("team", "red", True),
        ("user", "red", True),
        ("team", "blue", False),
        ("user", "x", False),
    ],
)
async def test_a_change_of_a_principal_ends_the_verdicts_that_rest_on_it(
    authority: Authority, control: Control, kind: str, identifier: str, concerned: bool
) -> None:
    control.knows(TOKEN, Principal("user", "ada", "Ada", frozenset({"red"})))
    await authority.verdict(PROOF, "x")
    await authority.forget_principal(kind, identifier)
    assert authority.remembers(TOKEN) != concerned
    assert (authority.known(PROOF) is None) == concerned


async def test_a_token_that_has_expired_is_remembered_no_more(authority: Authority, control: Control) -> None:
    control.knows(TOKEN, user(), expires=time.time() + 0.05)
    await authority.verdict(PROOF, "x")
    assert authority.remembers(TOKEN)
    await asyncio.sleep(0.06)
    assert not authority.remembers(TOKEN)


async def test_where_nobody_can_tell_nobody_is_refused_for_good(authority: Authority, control: Control) -> None:
    control.down = True
    with pytest.raises(SourceUnreachable):
        await authority.verdict(PROOF, "x")
    assert not authority.refused_lately(TOKEN)


async def test_a_token_that_is_not_for_gateways_is_asked_about_once(authority: Authority, control: Control) -> None:
    control.verdicts[TOKEN] = CallerVerdict(TOKEN, credential_id="id", kept_out=user())
    assert (await authority.verdict(PROOF, "x")).principal is None
    assert authority.known(PROOF) == control.verdicts[TOKEN]
    assert control.asked == [TOKEN]


async def test_a_change_of_its_bearer_ends_the_verdict_on_a_token_that_is_not_for_gateways(
    authority: Authority, control: Control
) -> None:
    control.verdicts[TOKEN] = CallerVerdict(TOKEN, credential_id="id", kept_out=Principal("user", "ada", "Ada"))
    await authority.verdict(PROOF, "x")
    await authority.forget_principal("user", "ada")
    assert authority.known(PROOF) is None


async def test_the_proof_of_a_caller_is_what_control_is_asked_with(
    authority: Authority, control: Control, monkeypatch: pytest.MonkeyPatch
) -> None:
    proof, asked = JwtProof.of("a.b.c"), []

    async def caller(question: CallerQuestion) -> CallerVerdict:
        asked.append(question.proof)
        return CallerVerdict(question.digest, user(), "grant", auth="jwt")

    monkeypatch.setattr(control, "caller", caller)
    assert (await authority.verdict(proof, "x")).credential == Credential("jwt", "grant")
    assert authority.known(proof) is not None
    assert authority.known(TokenProof(proof.digest)) is authority.known(proof), "it is known by its digest"
    assert asked == [proof]


@pytest.mark.parametrize(
    ("proof", "auth"), [(PROOF, "oauth"), (PROOF, "jwt"), (JwtProof(TOKEN, "a.b.c"), "token")], ids=str
)
async def test_a_verdict_on_a_credential_of_another_kind_is_none(
    authority: Authority, control: Control, proof: Proof, auth: AuthKind
) -> None:
    control.verdicts[TOKEN] = CallerVerdict(TOKEN, user(), "id", auth=auth)
    with pytest.raises(Refusal, match="not_authenticated"):
        await authority.verdict(proof, "x")
    assert authority.known(proof) is None


async def test_what_is_remembered_of_a_caller_and_copied_holds_no_signed_token(
    authority: Authority, control: Control
) -> None:
    proof = JwtProof.of("header.claims.signature")
    control.verdicts[proof.digest] = CallerVerdict(proof.digest, user(), "grant", auth="oauth")
    await authority.verdict(proof, "x")
    ((key, aged),) = authority.verdicts.memory.items()
    for told in (key, repr(aged), msgspec.msgpack.encode(aged.value).decode("latin-1")):
        assert "claims" not in told


@pytest.mark.parametrize(
    "verdict",
    [
        CallerVerdict(TOKEN, Principal("user", "ada", "Ada", frozenset({"red"})), "id", 5e9),
        CallerVerdict(TOKEN, credential_id="id", kept_out=Principal("team", "red", "Red")),
    ],
)
def test_copies_of_verdicts_are_read_by_workers_of_the_version_before_and_theirs_here(verdict: CallerVerdict) -> None:
    now, before = SealedForm(RING, "verdicts", CallerVerdict), SealedForm(RING, "verdicts", TokenVerdict)
    ours, theirs = Aged(verdict, 0.0), Aged(as_before(verdict), 0.0)
    read, read_there = now.open(TOKEN, before.close(TOKEN, theirs)), before.open(TOKEN, now.close(TOKEN, ours))
    assert read is not None
    assert read_there is not None
    assert (read.value, read_there.value) == (verdict, theirs.value)
