from __future__ import annotations

import base64
from hashlib import sha256
from typing import Any
from urllib.parse import parse_qs, urlsplit

import msgspec
import pytest

from control.identity.round_trip import Begun, authorize_url, begin, code_of, cookie_word
from control.providers.browser_round import AGE_S, BadReturn
from control.registry.identity_provider import Endpoints
from tests.fakes.providers import ISSUER, a_provider

ENDPOINTS = Endpoints(f"{ISSUER}/authorize?tenant=1", f"{ISSUER}/token", f"{ISSUER}/keys")
NAMING = msgspec.structs.replace(ENDPOINTS, names_issuer=True)
BACK = "https://tools.example.com/sign-in/oidc/corp/callback"
NOW = 1_000_000.0


def begun() -> Begun:
    return begin("p1", "/my/access", NOW)


def asked(provider: Any = None, made: Begun | None = None) -> dict[str, str]:
    """The parameters of the address that the browser is sent to."""
    url = authorize_url(provider or a_provider(), ENDPOINTS, BACK, made or begun())
    assert url.startswith(f"{ISSUER}/authorize?tenant=1&")
    return {name: values[0] for name, values in parse_qs(urlsplit(url).query, keep_blank_values=True).items()}


def refused(answer: dict[str, str], made: Begun, endpoints: Endpoints = ENDPOINTS, now: float = NOW) -> str:
    with pytest.raises(BadReturn) as bad:
        code_of(answer, a_provider(), endpoints, made, now)
    return bad.value.why


def test_a_code_is_asked_for_with_proof_of_who_asks() -> None:
    made = begun()
    sent = asked(made=made)
    challenge = base64.urlsafe_b64encode(sha256(made.verifier.encode()).digest()).rstrip(b"=").decode()
    assert sent["response_type"] == "code"
    assert (sent["code_challenge"], sent["code_challenge_method"]) == (challenge, "S256")
    assert (sent["state"], sent["nonce"]) == (made.state, made.nonce)
    assert (sent["redirect_uri"], sent["client_id"]) == (BACK, "archway")
    assert made.verifier not in str(sent)


def test_two_sign_ins_share_no_secret() -> None:
    one, other = begun(), begun()
    assert not {one.state, one.nonce, one.verifier} & {other.state, other.nonce, other.verifier}
    assert cookie_word(one.state) != cookie_word(other.state)


def test_tokens_that_last_are_asked_for_with_consent() -> None:
    assert asked()["prompt"] == "consent"
    assert "prompt" not in asked(a_provider(scopes=("openid",)))


def test_settings_add_parameters_and_leave_out_what_they_leave_empty() -> None:
    google = a_provider(authorize_parameters={"access_type": "offline", "prompt": ""})
    assert asked(google)["access_type"] == "offline"
    assert "prompt" not in asked(google)


def test_what_archway_fills_is_nobodys_to_change() -> None:
    sent = asked(a_provider(authorize_parameters={"redirect_uri": "https://evil.test", "state": "x"}))
    assert sent["redirect_uri"] == BACK
    assert sent["state"] != "x"


def test_the_code_of_the_answer_to_what_was_begun_comes_out() -> None:
    made = begun()
    assert code_of({"state": made.state, "code": "c"}, a_provider(), ENDPOINTS, made, NOW + 1) == "c"
    answer = {"state": made.state, "code": "c", "iss": ISSUER}
    assert code_of(answer, a_provider(), NAMING, made, NOW + AGE_S) == "c"


def test_an_answer_that_is_not_the_one_to_what_was_begun_is_refused() -> None:
    made = begun()
    assert refused({"code": "c"}, made) == "state"
    assert refused({"state": begun().state, "code": "c"}, made) == "state"
    assert refused({"state": made.state, "code": "c"}, msgspec.structs.replace(made, provider_id="p2")) == "state"
    assert refused({"state": made.state, "code": "c"}, made, now=NOW + AGE_S + 1) == "late"
    assert refused({"state": made.state, "code": "c"}, made, now=NOW - 1) == "late"


@pytest.mark.parametrize("absent", [pytest.param("", id="O-5: iss missing at our callback")])
def test_another_provider_that_answers_is_found_out(absent: str) -> None:
    made = begun()
    answer = {"state": made.state, "code": "c"}
    assert refused({**answer, "iss": "https://evil.test"}, made) == "issuer"
    assert refused({**answer, "iss": f"{ISSUER}/"}, made) == "issuer"
    assert refused(answer, made, NAMING) == "issuer"
    assert refused({**answer, "iss": absent}, made) == "issuer"


def test_an_answer_without_a_code_says_why() -> None:
    made = begun()
    assert refused({"state": made.state}, made) == "no_code"
    assert refused({"state": made.state, "code": "a\nb"}, made) == "no_code"
    assert refused({"state": made.state, "error": "access_denied"}, made) == "denied"
    assert refused({"state": made.state, "error": "login_required"}, made) == "refused"


def test_what_an_answer_says_beside_its_word_is_not_repeated() -> None:
    made = begun()
    with pytest.raises(BadReturn) as bad:
        code_of({"state": made.state, "error": "<script>"}, a_provider(), ENDPOINTS, made, NOW)
    assert "script" not in str(bad.value)


def test_a_sign_in_shows_none_of_its_secrets() -> None:
    made = begun()
    assert made.verifier not in repr(made)
    assert made.state not in repr(made)
