from base64 import urlsafe_b64encode

from msgspec.json import encode

from control.internal.bearers import bearer, calling_of, of_tokens, signed_among
from core.resolve import CallerVerdict, InstallationQuestion, JwtProof, Principal, TokenProof

ANN = Principal("user", "ann", "Ann")
DIGEST = "d" * 64


def a_jwt(**claims: object) -> str:
    head, body = (urlsafe_b64encode(encode(part)).decode().rstrip("=") for part in ({"alg": "RS256"}, claims))
    return f"{head}.{body}.sig"


def asked(proof: TokenProof | JwtProof) -> InstallationQuestion:
    return InstallationQuestion.of(proof, "g1", "a1")


def test_proofs_are_told_apart_and_each_is_there_once() -> None:
    token, signed, wrong = TokenProof(DIGEST), JwtProof.of("a.b.c"), TokenProof("no digest")
    assert of_tokens([token, signed, wrong, token]) == {DIGEST}
    assert signed_among([token, signed, signed]) == [signed]


def test_who_calls_with_a_token_of_ours_is_a_person_with_no_token_of_a_provider() -> None:
    calling = bearer(asked(TokenProof(DIGEST)), {DIGEST: CallerVerdict(DIGEST, ANN, "t1", 2_000.0)})
    assert calling is not None
    assert (calling.principal, calling.kind, calling.gateway_id) == (ANN, "user_token", "g1")
    assert (calling.audience, calling.own_token, calling.expires_at) == ("", "", 2_000.0)


def test_a_verdict_about_another_kind_of_proof_makes_nobody_a_caller() -> None:
    assert bearer(asked(TokenProof(DIGEST)), {DIGEST: CallerVerdict(DIGEST, ANN, auth="jwt")}) is None
    assert bearer(asked(TokenProof(DIGEST)), {DIGEST: CallerVerdict(DIGEST, refusal="revoked")}) is None
    assert bearer(asked(TokenProof(DIGEST)), {}) is None


def test_of_a_providers_token_it_is_known_what_it_is_for_and_when_it_ends() -> None:
    proof = JwtProof.of(a_jwt(iss="https://idp.test", aud=["crm"]))
    verdict = CallerVerdict(proof.digest, ANN, "identity", 2_000.0, auth="jwt")
    calling = calling_of(asked(proof), verdict, ANN)
    assert (calling.kind, calling.audience) == ("provider_token", "crm")
    assert (calling.own_token, calling.expires_at) == (proof.jwt, 2_000.0)


def test_a_job_is_known_as_one_and_a_token_of_ours_has_no_audience_of_a_providers() -> None:
    proof, job = JwtProof.of(a_jwt(iss="https://idp.test", aud="crm")), Principal("service", "c1", "CI")
    of_job = calling_of(asked(proof), CallerVerdict(proof.digest, job, "c1", auth="jwt"), job)
    assert of_job.kind == "ci_job"
    ours = calling_of(asked(proof), CallerVerdict(proof.digest, ANN, "g1", auth="oauth"), ANN)
    assert (ours.kind, ours.audience) == ("oauth", "")
    vouched_for = CallerVerdict(proof.digest, ANN, "g1", auth="oauth", by_assertion=True)
    assert calling_of(asked(proof), vouched_for, ANN).kind == "id_jag"
