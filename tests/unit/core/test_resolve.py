from __future__ import annotations

from typing import Literal, get_args

import msgspec
import pytest
from msgspec.structs import replace

from core.egress.rules import Allowed, EgressRules
from core.resolve import (
    LONGEST_JWT,
    LONGEST_SCOPE,
    MOST_SCOPES,
    AuthKind,
    CallerQuestion,
    CallerQuestions,
    CallerVerdict,
    CallerVerdicts,
    Credential,
    InstallationAnswer,
    InstallationQuestion,
    InstallationQuestions,
    InstallationRefusal,
    JwtProof,
    Principal,
    PrincipalKind,
    Proof,
    ResolvedInstallation,
    TokenProof,
)
from tests.fakes import version_before

CONNECTION = ResolvedInstallation(
    "i1",
    "e1",
    "github",
    "user:u1",
    "remote",
    "https://github.test/mcp",
    3,
    credential_headers=[("authorization", "s3cret")],
)
SIGNED_IN = replace(CONNECTION, expires_at=5.5, installation="Work", account="ann", signed_in_at=1.5)


@pytest.mark.parametrize(
    "answer",
    [
        CallerVerdict("d", Principal("user", "u1", "Ann", frozenset({"t1"})), "t", 5.5),
        CallerVerdict("d", refusal="revoked"),
        CallerVerdict("d", credential_id="t", kept_out=Principal("user", "u1", "Ann")),
        CallerVerdict(
            "d", Principal("service", "s1", "CI"), "grant", 5.5, auth="oauth", client="c1", scopes=frozenset({"mcp"})
        ),
        InstallationAnswer(installation=CONNECTION),
        InstallationAnswer(installation=SIGNED_IN),
        InstallationAnswer(refusal=InstallationRefusal("credential_missing", "why", "https://archway.test")),
        InstallationAnswer(refusal=InstallationRefusal("provider_away", "why")),
    ],
)
def test_answers_survive_the_wire(answer: msgspec.Struct) -> None:
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(answer), type=type(answer)) == answer


def test_a_verdict_says_its_refusal_under_the_name_that_planes_of_other_versions_know() -> None:
    said = msgspec.msgpack.decode(msgspec.msgpack.encode(CallerVerdict("d", refusal="revoked")))
    assert said == {"digest": "d", "refused": "revoked"}


def test_a_token_that_is_not_for_gateways_has_no_bearer_for_proxies_of_the_version_before() -> None:
    class BeforeItSaidSo(msgspec.Struct, frozen=True):
        digest: str
        principal: Principal | None = None
        token_id: str = ""
        expires: float | None = None
        refused: Literal["", "unknown", "revoked", "expired", "disabled"] = ""

    said = msgspec.msgpack.encode(CallerVerdict("d", credential_id="t", kept_out=Principal("user", "u1", "Ann")))
    assert msgspec.msgpack.decode(said, type=BeforeItSaidSo) == BeforeItSaidSo("d", token_id="t")


def test_a_connection_shows_no_credential() -> None:
    assert "s3cret" not in repr(CONNECTION)
    assert "s3cret" not in repr(InstallationAnswer(installation=CONNECTION))


JWT = JwtProof.of("a.b.c")
PROOFS = [TokenProof("d"), JWT]


@pytest.mark.parametrize("proof", PROOFS)
def test_a_question_carries_the_proof_that_it_was_made_of(proof: Proof) -> None:
    alone, for_a_tool = CallerQuestion.of(proof), InstallationQuestion.of(proof, "g", "a")
    for question in (alone, for_a_tool):
        sent = msgspec.msgpack.encode(question)
        assert msgspec.msgpack.decode(sent, type=type(question)).proof == proof  # type: ignore[attr-defined]  # both have it
    together = msgspec.msgpack.encode(CallerQuestions.of([CallerQuestion.of(one) for one in PROOFS]))
    assert msgspec.msgpack.decode(together, type=CallerQuestions).proofs == PROOFS


@pytest.mark.parametrize(
    "question", [CallerQuestion("of another", JWT.jwt), InstallationQuestion("of another", "g", "a", JWT.jwt)]
)
def test_a_signed_token_is_never_the_proof_of_another_credential(question: CallerQuestion) -> None:
    assert question.proof == JWT
    assert CallerQuestions(["of another"], {"of another": JWT.jwt}).proofs == [JWT]


@pytest.mark.parametrize(
    "told",
    [
        JWT,
        CallerQuestion.of(JWT),
        CallerQuestions.of([CallerQuestion.of(JWT)]),
        InstallationQuestion.of(JWT, "g", "a"),
        InstallationQuestions([InstallationQuestion.of(JWT, "g", "a")]),
    ],
)
def test_no_proof_shows_a_signed_token(told: object) -> None:
    assert JWT.jwt not in repr(told)


def test_an_answer_repeats_its_question_without_the_signed_token() -> None:
    assert InstallationQuestion.of(JWT, "g", "a").named == InstallationQuestion(JWT.digest, "g", "a")
    by_token = InstallationQuestion.of(TokenProof("d"), "g", "a")
    assert by_token.named == by_token


REFUSED = InstallationQuestion(JWT.digest, "g", "a", JWT.jwt, refused_version=3, needed_scopes=("repo", "user"))


def test_an_answer_repeats_what_an_upstream_said_of_the_credential() -> None:
    assert REFUSED.named == InstallationQuestion(JWT.digest, "g", "a", "", 3, ("repo", "user"))
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(REFUSED), type=InstallationQuestion) == REFUSED


@pytest.mark.parametrize(
    ("scopes", "is_read"),
    [
        (("s" * LONGEST_SCOPE,), True),
        (("s" * (LONGEST_SCOPE + 1),), False),
        (("s",) * MOST_SCOPES, True),
        (("s",) * (MOST_SCOPES + 1), False),
    ],
)
def test_a_question_asks_for_so_many_scopes_and_no_more(scopes: tuple[str, ...], is_read: bool) -> None:
    sent = msgspec.msgpack.encode(InstallationQuestion("d", "g", "a", needed_scopes=scopes))
    if is_read:
        assert msgspec.msgpack.decode(sent, type=InstallationQuestion).needed_scopes == scopes
        return
    with pytest.raises(msgspec.ValidationError):
        msgspec.msgpack.decode(sent, type=InstallationQuestion)


@pytest.mark.parametrize("length", [LONGEST_JWT, LONGEST_JWT + 1])
def test_what_is_longer_than_any_header_is_read_as_no_proof(length: int) -> None:
    asked = [
        CallerQuestion("d", "x" * length),
        CallerQuestions(["d"], {"d": "x" * length}),
        InstallationQuestion("d", "g", "a", "x" * length),
    ]
    for question in asked:
        sent = msgspec.msgpack.encode(question)
        if length == LONGEST_JWT:
            assert msgspec.msgpack.decode(sent, type=type(question)) == question
            continue
        with pytest.raises(msgspec.ValidationError):
            msgspec.msgpack.decode(sent, type=type(question))


def test_a_verdict_tells_what_its_caller_came_with() -> None:
    by_client = CallerVerdict("d", auth="oauth", credential_id="g1", client="c1", scopes=frozenset({"mcp"}))
    assert by_client.credential == Credential("oauth", "g1", "c1", frozenset({"mcp"}))
    assert CallerVerdict("d", credential_id="t1").credential == Credential("token", "t1")
    vouched_for = CallerVerdict("d", auth="oauth", credential_id="g1", by_assertion=True)
    assert vouched_for.credential == Credential("id_jag", "g1")


@pytest.mark.parametrize("auth", get_args(AuthKind))
def test_only_an_access_token_of_ours_is_one_that_a_provider_vouched_for(auth: AuthKind) -> None:
    assert CallerVerdict("d", auth=auth).way == auth
    assert CallerVerdict("d", auth=auth, by_assertion=True).way == ("id_jag" if auth == "oauth" else auth)


@pytest.mark.parametrize("auth", ["token", "oauth", "jwt"])
@pytest.mark.parametrize("proof", [TokenProof(JWT.digest), JWT], ids=["a token", "a signed token"])
@pytest.mark.parametrize("digest", [JWT.digest, "another"])
def test_a_verdict_is_about_one_credential_of_its_own_kind(auth: AuthKind, proof: Proof, digest: str) -> None:
    fits = (auth == "token") == isinstance(proof, TokenProof)
    assert CallerVerdict(digest, ADA, auth=auth).is_about(proof) == (fits and digest == JWT.digest)


@pytest.mark.parametrize(
    ("kind", "key"),
    [
        ("user", "user:1"),
        ("team", "team:1"),
        ("organisation", "organisation"),
        ("service", "service:1"),
        ("external", "external:1"),
    ],
)
def test_no_two_kinds_of_principals_share_a_key(kind: PrincipalKind, key: str) -> None:
    assert Principal(kind, "1", "x").key == key


ADA = Principal("user", "u1", "Ada", frozenset({"t1"}))
VERDICTS = [
    CallerVerdict("d", ADA, "t", 5.5),
    CallerVerdict("d", Principal("organisation", "organisation", "all"), "t"),
    CallerVerdict("d", credential_id="t", refusal="revoked"),
    CallerVerdict("d", credential_id="t", expires=5.5, kept_out=ADA),
]
BEFORE = [version_before.as_before(verdict) for verdict in VERDICTS]


@pytest.mark.parametrize(
    ("now", "before"),
    [
        (CallerQuestion.of(TokenProof("d")), version_before.TokenQuestion("d")),
        (CallerQuestions.of([CallerQuestion("d"), CallerQuestion("e")]), version_before.TokenQuestions(["d", "e"])),
        (
            InstallationQuestion.of(TokenProof("d"), "g", "a"),
            version_before.InstallationQuestionBefore("d", "g", "a"),
        ),
        (
            InstallationQuestions([InstallationQuestion("d", "g", "a")]),
            version_before.InstallationQuestionsBefore([version_before.InstallationQuestionBefore("d", "g", "a")]),
        ),
        (CallerVerdicts(VERDICTS), version_before.TokenVerdicts(BEFORE)),
        *zip(VERDICTS, BEFORE, strict=True),
    ],
)
def test_what_is_said_of_tokens_is_the_same_bytes_as_in_the_version_before(
    now: msgspec.Struct, before: msgspec.Struct
) -> None:
    sent = msgspec.msgpack.encode(now)
    assert sent == msgspec.msgpack.encode(before)
    assert msgspec.msgpack.decode(sent, type=type(now)) == now
    assert msgspec.msgpack.decode(sent, type=type(before)) == before


def test_to_control_of_the_version_before_a_signed_token_is_one_that_nobody_knows() -> None:
    asked = msgspec.msgpack.encode(CallerQuestion.of(JWT))
    assert msgspec.msgpack.decode(asked, type=version_before.TokenQuestion) == version_before.TokenQuestion(
        JWT.digest
    )
    asked = msgspec.msgpack.encode(CallerQuestions.of([CallerQuestion.of(JWT)]))
    told = msgspec.msgpack.decode(asked, type=version_before.TokenQuestions)
    assert told == version_before.TokenQuestions([JWT.digest])


def test_planes_of_the_version_before_read_questions_and_answers_about_tokens_that_end() -> None:
    asked = msgspec.msgpack.encode(
        InstallationQuestion("d", "g", "a", refused_version=3, needed_scopes=("repo",), waits_s=10.0)
    )
    before = msgspec.msgpack.decode(asked, type=version_before.InstallationQuestionBefore)
    assert before == version_before.InstallationQuestionBefore("d", "g", "a")
    found = InstallationAnswer(SIGNED_IN)
    told = msgspec.msgpack.decode(msgspec.msgpack.encode(found), type=version_before.InstallationAnswerBefore)
    assert told.connection is not None
    assert (told.connection.installation_id, told.connection.version) == ("i1", 3)
    assert told.connection.credential_headers == [("authorization", "s3cret")]


def test_planes_of_the_version_before_read_a_refusal_of_what_is_under_way() -> None:
    refusal = InstallationRefusal("provider_away", "Asked.", under_way=True)
    told = msgspec.msgpack.decode(msgspec.msgpack.encode(refusal))
    assert told == {"code": "provider_away", "sentence": "Asked.", "under_way": True}
    assert "under_way" not in msgspec.msgpack.decode(msgspec.msgpack.encode(replace(refusal, under_way=False)))


def test_an_answer_of_the_version_before_is_about_a_credential_that_never_ends() -> None:
    told = msgspec.msgpack.decode(msgspec.msgpack.encode(CONNECTION))
    assert not {"expires_at", "installation", "account"} & set(told)
    assert msgspec.convert(told, ResolvedInstallation).expires_at == 0


def test_a_server_that_is_held_to_nothing_is_told_as_in_the_version_before() -> None:
    told = msgspec.msgpack.decode(msgspec.msgpack.encode(CONNECTION))
    assert not {"egress", "environment"} & set(told)
    rules = EgressRules("restricted", (Allowed(domains=("github.test",)),))
    held = msgspec.msgpack.encode(InstallationAnswer(replace(CONNECTION, egress=rules, environment="Production")))
    before = msgspec.msgpack.decode(held, type=version_before.InstallationAnswerBefore)
    assert before.connection is not None  # which holds it to nothing
    assert (before.connection.url, before.connection.version) == ("https://github.test/mcp", 3)


def test_what_serves_one_caller_alone_is_shared_with_no_other() -> None:
    ann, ben = (replace(CONNECTION, made_for=f"user:{name}").shared_by for name in ("ann", "ben"))
    assert len({ann, ben, CONNECTION.shared_by}) == 3
    assert CONNECTION.shared_by == "i1"


def test_a_newer_one_is_told_by_its_version_and_then_by_when_it_was_obtained() -> None:
    first = replace(CONNECTION, obtained_at=5.0)
    assert replace(first, version=4, obtained_at=0).is_newer(first)
    assert replace(first, obtained_at=5.5).is_newer(first)
    assert replace(first, installation_id="i2", version=1).is_newer(first)
    assert not first.is_newer(first)
    assert not replace(first, version=2, obtained_at=9.0).is_newer(first)


def test_the_callers_own_token_is_put_in_for_a_call_and_is_in_nothing_that_is_kept() -> None:
    kept = replace(CONNECTION, credential_headers=[], caller_token=True)
    carried = kept.carrying(JWT)
    assert carried.own_headers == {"authorization": f"Bearer {JWT.jwt}"}
    assert kept.carrying(JWT) is carried, "plans rest on it"
    assert JWT.jwt.encode() not in msgspec.msgpack.encode(kept)
    assert JWT.jwt not in f"{kept!r}{carried!r}"
    assert kept.own_headers == {}


def test_no_other_credential_is_put_in_and_into_no_other_installation() -> None:
    kept = replace(CONNECTION, credential_headers=[], caller_token=True)
    assert kept.carrying(TokenProof("d")) is kept
    assert CONNECTION.carrying(JWT) is CONNECTION
