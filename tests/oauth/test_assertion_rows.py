"""Identity assertions that get nobody in, claim by claim (rows A-2 to A-8 at the token endpoint).

Each is refused in one word and one sentence, makes nothing, and is explained where an admin looks.
"""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable
from typing import Any

import jwt
import pytest

from control.identity.id_jag import TYPE
from control.oauth.assertions import SENTENCE
from core.identifiers import new_id
from tests.fakes.issuer import FakeIssuer, rsa_key
from tests.fixtures_people import ISSUER
from tests.oauth.asserting import SALES, AssertingCorp
from tests.oauth.flow import RESOURCE, claims_of

Make = Callable[[AssertingCorp], str]


def said(**claims: Any) -> Make:
    return lambda corp: corp.assertion(**claims)


def timed(**seconds: float) -> Make:
    """Claims that are moments, in seconds from now."""

    def make(corp: AssertingCorp) -> str:
        now = int(time.time())
        return corp.assertion(**{name: now + moment for name, moment in seconds.items()})

    return make


def headed(**header: Any) -> Make:
    return lambda corp: corp.assertion(header=header)


def part(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def unsigned(payload: object = None, **header: Any) -> Make:
    def make(corp: AssertingCorp) -> str:
        told = part({"typ": TYPE, "kid": "a", "alg": "RS256", **header})
        claims = corp.assertion().split(".")[1] if payload is None else part(payload)
        return f"{told}.{claims}.AAAA"

    return make


def with_the_public_key(corp: AssertingCorp) -> str:
    claims = jwt.decode(corp.assertion(), options={"verify_signature": False})
    secret = rsa_key("a", 2048).public_key().public_numbers().n.to_bytes(256, "big")
    return jwt.encode(claims, secret, algorithm="HS256", headers={"typ": TYPE, "kid": "a"})


def of_a_weak_key(corp: AssertingCorp) -> str:
    return signed_with(corp, rsa_key("weak", 1024), "weak")


def signed_with(corp: AssertingCorp, key: Any, kid: str) -> str:
    claims = jwt.decode(corp.assertion(), options={"verify_signature": False})
    return jwt.encode(claims, key, algorithm="RS256", headers={"typ": TYPE, "kid": kid})


def ps_with_the_same_key(corp: AssertingCorp) -> str:
    claims = jwt.decode(corp.assertion(), options={"verify_signature": False})
    return jwt.encode(claims, rsa_key("a", 2048), algorithm="PS256", headers={"typ": TYPE, "kid": "a"})


A_2: dict[str, Make] = {
    "none": unsigned(alg="none"),
    "nOnE": unsigned(alg="nOnE"),
    "HS256 with the public key": with_the_public_key,
    "an algorithm that the provider does not sign with": ps_with_the_same_key,
    "crit": headed(crit=["exp"]),
    "b64": unsigned(b64=False),
    "jku": lambda corp: signed_with(corp, rsa_key("evil", 2048), "a"),
    "kid as a path": headed(kid="../../keys/own"),
    "kid as SQL": headed(kid="' or 1=1 --"),
    "kid of 5 KiB": headed(kid="k" * 5_000),
    "kid as a number": unsigned(kid=1),
    "no kid": unsigned(kid=""),
    "JWE": lambda _: ".".join([part({"alg": "dir", "enc": "A256GCM"}), "", "aaaa", "aaaa", "aaaa"]),
    "5 segments": lambda corp: f"{corp.assertion()}.a.b",
    "no token at all": lambda _: "ann",
}
A_3: dict[str, Make] = {
    "no exp": said(exp=None),
    "exp in 10 years": timed(exp=315_360_000),
    "future iat": timed(iat=90, exp=300),
    "future nbf": timed(nbf=90),
    "float exp": timed(exp=200.5),
    "huge exp": said(exp=10**30),
    "expired": timed(iat=-400, exp=-120),
    "exp before iat": timed(iat=30, exp=10),
    "no iat": said(iat=None),
}
A_4: dict[str, Make] = {"RSA < 2048": of_a_weak_key}
A_5: dict[str, Make] = {
    "no subject": said(sub=None),
    "a subject that is no text": said(sub=5),
    "email_verified false": said(email_verified=False),
    "a@b@c": said(email="ann@evil.test@corp.test"),
    "a domain that the IdP is not allowed": said(email="ann@other.test"),
}
A_6: dict[str, Make] = {
    "another gateway as audience": said(aud=SALES),
    "our control API": said(aud=f"{ISSUER}/api/v1"),
    "our token endpoint": said(aud=f"{ISSUER}/oauth/token"),
    "trailing slash": said(aud=f"{ISSUER}/"),
    "upper-case host": said(aud=ISSUER.upper()),
    "list of audiences": said(aud=[ISSUER, "https://other.test"]),
    "no audience": said(aud=None),
}
A_7: dict[str, Make] = {
    "another issuer, the provider's key": said(iss="https://elsewhere.example"),
    "the provider's name, another key": lambda corp: signed_with(corp, rsa_key("other", 2048), "a"),
    "our own name": said(iss=ISSUER),
}
A_8: dict[str, Make] = {
    "typ of an access token": headed(typ="at+jwt"),
    "typ of an id_token": headed(typ="JWT"),
    "no typ": headed(typ=None),
    "typ in upper case": headed(typ=TYPE.upper()),
    "typ with application/": headed(typ=f"application/{TYPE}"),
    "aud of another server": said(aud="https://other.test"),
    "aud of another server in a list": said(aud=["https://other.test"]),
    "client_id of another client": said(client_id="another"),
    "client_id of two clients": said(client_id=["agent", "another"]),
    "no client_id": said(client_id=None),
    "resource of another server": said(resource="https://other.test/v1/mcp/sales"),
    "resource of a gateway that there is not": said(resource=f"{ISSUER}/v1/mcp/nothing"),
    "resource of a gateway that takes no assertions": said(resource=RESOURCE),
    "resource in a list of two": said(resource=[SALES, RESOURCE]),
    "resource of another server in a list": said(resource=["https://other.test"]),
    "no resource at all": said(resource=None),
    "exp > 5 min": timed(iat=0, exp=301),
    "exp > 5 min with a late iat": timed(iat=50, exp=400),
    "no jti": said(jti=None),
    "jti that is no text": said(jti=7),
    "scope that lacks ours": said(scope="files"),
    "scope that is empty": said(scope=""),
    "scope as a list": said(scope=["mcp"]),
    "tenant": said(tenant="t1"),
    "aud_tenant": said(aud_tenant="t1"),
    "aud_sub of somebody else": said(aud_sub="user:0199a3de-0000-7000-8000-000000000000"),
    "cnf": said(cnf={"jkt": "x"}),
    "authorization_details": said(authorization_details=[{"type": "x"}]),
}
ROWS = {"A-2": A_2, "A-3": A_3, "A-4": A_4, "A-5": A_5, "A-6": A_6, "A-7": A_7, "A-8": A_8}


def cases() -> list[Any]:
    return [
        pytest.param(make, id=f"{row}: assertion, {name}" if row != "A-8" else f"A-8: {name}")
        for row, inputs in ROWS.items()
        for name, make in inputs.items()
    ]


@pytest.mark.filterwarnings("ignore::jwt.warnings.InsecureKeyLengthWarning")
@pytest.mark.parametrize("make", cases())
async def test_an_assertion_that_does_not_hold_gets_nobody_in(corp: AssertingCorp, make: Make) -> None:
    people = await corp.people()

    answer = await corp.exchange(make(corp))

    assert (answer.status, answer.json) == (400, {"error": "invalid_grant", "error_description": SENTENCE})
    assert (await corp.grants(), await corp.people()) == ([], people)
    reason, cure = await corp.told()
    assert reason not in ("", SENTENCE)
    assert cure


@pytest.mark.parametrize("make", [
    pytest.param(said(aud=[ISSUER]), id="A-8: aud in a list of one"),
    pytest.param(said(resource=[SALES]), id="A-8: resource in a list of one"),
    pytest.param(said(resource=f"{SALES}/"), id="A-8: resource with a slash at its end"),
    pytest.param(said(scope=None), id="A-8: no scope"),
    pytest.param(said(scope="files mcp"), id="A-8: scope that has more than ours"),
    pytest.param(timed(iat=30, exp=330), id="A-8: a clock 30 s ahead"),
    pytest.param(timed(iat=-330, exp=-30), id="A-8: a clock 30 s behind"),
    pytest.param(timed(nbf=-5), id="A-8: nbf in the past"),
])  # fmt: skip
async def test_what_may_be_said_in_two_ways_is_understood_in_both(corp: AssertingCorp, make: Make) -> None:
    answer = await corp.exchange(make(corp))
    assert (answer.status, answer.json["scope"]) == (200, "mcp")
    assert claims_of(answer.json["access_token"])["aud"] == SALES


@pytest.mark.parametrize("which", [pytest.param("", id="A-8: replayed jti")])
async def test_an_assertion_counts_once(corp: AssertingCorp, which: str) -> None:
    assertion = corp.assertion()
    assert (await corp.exchange(assertion)).status == 200
    again = await corp.exchange(assertion)
    assert (again.status, again.error) == (400, "invalid_grant")
    named_so = corp.assertion(jti=jwt.decode(assertion, options={"verify_signature": False})["jti"])
    assert (await corp.exchange(named_so)).status == 400, "another one with the same name"
    assert "used before" in (await corp.told())[0]
    (kept,) = await corp.flow.people.rows(
        "select expires_at > now() + interval '4 minutes' as long from oauth_assertions"
    )
    assert kept["long"]


@pytest.mark.parametrize("which", [pytest.param("", id="A-5: assertion, same sub at two IdPs")])
async def test_a_subject_of_another_provider_is_somebody_else(corp: AssertingCorp, which: str) -> None:
    assert (await corp.exchange()).status == 200
    async with FakeIssuer() as other:
        token = other.token(
            header={"typ": TYPE}, aud=ISSUER, client_id=corp.client.client_id, resource=SALES, jti=new_id()
        )
        assert (await corp.exchange(token)).status == 400, "nobody knows that issuer"


@pytest.mark.parametrize(
    ("form", "claims"),
    [
        pytest.param({"resource": RESOURCE}, {}, id="A-8: resource of the form is another gateway"),
        pytest.param({"resource": RESOURCE}, {"resource": None}, id="A-8: resource of the form takes no assertions"),
        pytest.param({"resource": "https://x.test"}, {}, id="A-8: resource of the form is no gateway"),
        pytest.param({"scope": "offline_access"}, {}, id="A-8: scope of the form lacks ours"),
    ],
)
async def test_what_the_client_asks_for_and_the_assertion_allows_must_agree(
    corp: AssertingCorp, form: dict[str, str], claims: dict[str, Any]
) -> None:
    answer = await corp.exchange(corp.assertion(**claims), **form)
    assert (answer.status, answer.json) == (400, {"error": "invalid_grant", "error_description": SENTENCE})


async def test_the_client_names_the_gateway_where_the_assertion_does_not(corp: AssertingCorp) -> None:
    answer = await corp.exchange(corp.assertion(resource=None), resource=SALES, scope="mcp offline_access")
    assert (answer.status, answer.json["scope"]) == (200, "mcp")
    assert (await corp.exchange(corp.assertion(), resource=f"{SALES}/")).status == 200, "both mean the same"
