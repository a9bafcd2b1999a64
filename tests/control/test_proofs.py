"""Proofs of callers at control's internal listener: of every form that there is, and from proxies before this one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import msgspec
import pytest

from control.store.pool import Pool, transaction
from core.internal_call import SEALED, InternalCalls
from core.keys import new_key, parse_key_ring
from core.resolve import (
    CallerQuestion,
    CallerQuestions,
    CallerVerdict,
    CallerVerdicts,
    Credential,
    InstallationAnswer,
    InstallationAnswers,
    InstallationQuestion,
    InstallationQuestions,
    JwtProof,
    TokenProof,
)
from tests.control import seeded
from tests.control.asking_proxy import CALLS, AskingProxy
from tests.fakes.version_before import (
    InstallationQuestionBefore,
    InstallationQuestionsBefore,
    TokenQuestion,
    TokenQuestions,
    TokenVerdict,
    TokenVerdicts,
)

JWT = JwtProof.of("a.b.c")


class Ann(NamedTuple):
    id: str
    digest: str
    gateway: str
    assignment: str


async def ann_with_a_tool(pool: Pool) -> Ann:
    """A person with a token, and a tool that she may call."""
    async with transaction(pool) as conn:
        ann = await seeded.user(conn)
        digest = await seeded.token(conn, user=ann)
        entry = await seeded.entry(conn)
        installation = await seeded.installation(conn, entry)
        gateway = await seeded.gateway(conn)
        assignment = await seeded.assignment(conn, gateway, await seeded.tool(conn, entry), installation=installation)
    return Ann(ann, digest, gateway, assignment)


async def test_a_token_is_told_as_what_its_bearer_came_with(proxy: AskingProxy, pool: Pool) -> None:
    ann = await ann_with_a_tool(pool)
    asked = CallerQuestion.of(TokenProof(ann.digest))
    verdict: CallerVerdict = await proxy.ask("/internal/token", asked, CallerVerdict)
    assert verdict.principal is not None
    assert (verdict.principal.kind, verdict.principal.id) == ("user", ann.id)
    assert verdict.credential == Credential("token", verdict.credential_id)


async def test_a_signed_token_whose_issuer_is_nobody_proves_nobody(proxy: AskingProxy, pool: Pool) -> None:
    ann = await ann_with_a_tool(pool)
    asked = CallerQuestion.of(JWT)
    nobody = CallerVerdict(JWT.digest, refusal="unknown", auth="jwt")
    assert await proxy.ask("/internal/token", asked, CallerVerdict) == nobody
    told: CallerVerdicts = await proxy.ask(
        "/internal/tokens", CallerQuestions.of([asked, CallerQuestion(ann.digest)]), CallerVerdicts
    )
    bearers = {one.digest: one.principal.id if one.principal else None for one in told.verdicts}
    assert bearers == {JWT.digest: None, ann.digest: ann.id}


@pytest.mark.parametrize("digest", [lambda ann: ann.digest, lambda _: JWT.digest], ids=["a token's", "its own"])
async def test_a_signed_token_beside_the_digest_of_a_token_that_holds_proves_nothing(
    proxy: AskingProxy,
    pool: Pool,
    digest: Callable[[Ann], str],
) -> None:
    ann = await ann_with_a_tool(pool)
    named = digest(ann)
    verdict: CallerVerdict = await proxy.ask("/internal/token", CallerQuestion(named, JWT.jwt), CallerVerdict)
    assert (verdict.principal, verdict.refusal) == (None, "unknown")
    listed: CallerVerdicts = await proxy.ask(
        "/internal/tokens", CallerQuestions([named], {named: JWT.jwt}), CallerVerdicts
    )
    assert [(one.principal, one.refusal) for one in listed.verdicts] == [(None, "unknown")]

    question = InstallationQuestion(named, ann.gateway, ann.assignment, JWT.jwt)
    alone: InstallationAnswer = await proxy.ask("/internal/connection", question, InstallationAnswer)
    beside: InstallationAnswers = await proxy.ask(
        "/internal/connections",
        InstallationQuestions([question, InstallationQuestion(ann.digest, ann.gateway, ann.assignment)]),
        InstallationAnswers,
    )
    (refused, allowed) = (one.answer for one in beside.answers)
    for answer in (alone, refused):
        assert answer.installation is None
        assert answer.refusal is not None
        assert answer.refusal.code == "not_allowed"
    assert allowed.installation is not None


async def test_a_sealed_question_is_answered_as_a_plain_one_and_its_token_is_not_sent_back(
    proxy: AskingProxy, pool: Pool
) -> None:
    ann = await ann_with_a_tool(pool)
    questions: list[tuple[str, object, type[Any]]] = [
        ("/internal/token", CallerQuestion.of(TokenProof(ann.digest)), CallerVerdict),
        ("/internal/token", CallerQuestion.of(JWT), CallerVerdict),
        (
            "/internal/tokens",
            CallerQuestions.of([CallerQuestion.of(JWT), CallerQuestion(ann.digest)]),
            CallerVerdicts,
        ),
        ("/internal/connection", InstallationQuestion.of(JWT, ann.gateway, ann.assignment), InstallationAnswer),
    ]
    for path, question, kind in questions:
        told = await proxy.ask(path, question, kind)
        assert await proxy.ask(path, question, kind, sealed=True) == told
    by_jwt = InstallationQuestion.of(JWT, ann.gateway, ann.assignment)
    listed: InstallationAnswers = await proxy.ask(
        "/internal/connections", InstallationQuestions([by_jwt]), InstallationAnswers, sealed=True
    )
    assert [one.question for one in listed.answers] == [by_jwt.named]


@pytest.mark.parametrize("path", ["/internal/token", "/internal/connection"])
async def test_what_is_sealed_for_another_question_or_by_another_is_refused(proxy: AskingProxy, path: str) -> None:
    question = msgspec.msgpack.encode(CallerQuestion.of(JWT))
    stranger = InternalCalls(parse_key_ring("K", new_key()), caller="proxy", answerer="control")
    other = "/internal/tokens"
    for body in (question, CALLS.seal_question(other, question), stranger.seal_question(path, question), b""):
        authorization, _ = CALLS.mint("POST", path, body)
        assert await proxy.post(path, body, authorization, content_type=SEALED) == (403, b"")


async def test_a_proxy_of_the_version_before_is_answered_as_it_always_was(
    proxy: AskingProxy,
    pool: Pool,
) -> None:
    ann = await ann_with_a_tool(pool)
    alone: TokenVerdict = await proxy.ask("/internal/token", TokenQuestion(ann.digest), TokenVerdict)
    listed: TokenVerdicts = await proxy.ask("/internal/tokens", TokenQuestions([ann.digest]), TokenVerdicts)
    assert alone.principal is not None
    assert (alone.principal.id, alone.token_id != "", listed.verdicts) == (ann.id, True, [alone])

    question = InstallationQuestionBefore(ann.digest, ann.gateway, ann.assignment)
    found: InstallationAnswer = await proxy.ask("/internal/connection", question, InstallationAnswer)
    many: InstallationAnswers = await proxy.ask(
        "/internal/connections", InstallationQuestionsBefore([question]), InstallationAnswers
    )
    assert found.installation is not None
    assert [one.answer for one in many.answers] == [found]
