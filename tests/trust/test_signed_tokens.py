"""Signed tokens that must not let anybody in, at a gateway (rows A-2, A-3, A-5 to A-7, A-10).

Each is refused as any other bad credential, by what the proxy holds: control is not asked who bears it, and no
server hears of it. `tests/unit/core/test_jwt.py` has what the function that both planes check with says of each.
"""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key

from core.resolve import JwtProof
from core.snapshot import TokenIssuer
from tests.fakes.issuers import FakeIssuer
from tests.fakes.mcp_upstream import McpUpstream
from tests.fakes.raw_http import exchange, request_bytes
from tests.proxy.conftest import Rig, eventually

PUBLIC = "http://127.0.0.1:8080"
RESOURCE = f"{PUBLIC}/v1/mcp/g"
AUDIENCE = "api://archway"
NOW = int(time.time())
OURS = FakeIssuer(PUBLIC, kind="own")
PROVIDER = FakeIssuer("https://idp.example", provider_id="p1")
OTHER = FakeIssuer("https://other.example", provider_id="p2")
KID = next(iter(OURS.keys))
EC = generate_private_key(SECP256R1())
CHALLENGE = (
    f'Bearer resource_metadata="{PUBLIC}/.well-known/oauth-protected-resource/v1/mcp/g", scope="mcp", '
    'error="invalid_token"'
)


def part(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def claims(**changed: Any) -> dict[str, Any]:
    usual = {"iss": PUBLIC, "sub": "user:1", "aud": RESOURCE, "iat": NOW, "exp": NOW + 600, "scope": "mcp", **changed}
    return {name: value for name, value in usual.items() if value is not None}


def unsigned(header: dict[str, Any], payload: object = None) -> str:
    named = {"typ": "at+jwt", "kid": KID, "alg": "EdDSA"} | header
    return f"{part(named)}.{part(claims() if payload is None else payload)}.AAAA"


def by_us(header: dict[str, Any] | None = None, **changed: Any) -> str:
    """A token that our own key signed, whatever it says."""
    named = {"typ": "at+jwt", "kid": KID} | (header or {})
    return jwt.encode(claims(**changed), OURS.keys[KID], algorithm="EdDSA", headers=named)


FORMS: dict[str, str] = {
    "none": f"{part({'typ': 'at+jwt', 'kid': KID, 'alg': 'none'})}.{part(claims())}.",
    "nOnE": unsigned({"alg": "nOnE"}),
    "HS256 with the public key": jwt.encode(
        claims(),
        OURS.keys[KID].public_key().public_bytes_raw(),
        algorithm="HS256",
        headers={"kid": KID},  # type: ignore[union-attr]  # ours is Ed25519
    ),
    "ES for EdDSA": jwt.encode(claims(), EC, algorithm="ES256", headers={"typ": "at+jwt", "kid": KID}),
    "crit": by_us({"crit": ["exp"]}),
    "b64": unsigned({"b64": False}),
    "jku": FakeIssuer(PUBLIC, kind="own").token(
        aud=RESOURCE, header={"kid": KID, "jku": "https://evil.example/jwks"}
    ),
    "x5u": FakeIssuer(PUBLIC, kind="own").token(aud=RESOURCE, header={"kid": KID, "x5u": "https://evil.example/x"}),
    "jwk": FakeIssuer(PUBLIC, kind="own").token(aud=RESOURCE, header={"kid": KID, "jwk": {"kty": "OKP"}}),
    "kid as a path": by_us({"kid": "../../keys/own"}),
    "kid as SQL": by_us({"kid": "' or 1=1 --"}),
    "kid of 5 KiB": by_us({"kid": "k" * 5000}),
    "kid as a number": unsigned({"kid": 1}),
    "JWE": ".".join([part({"alg": "dir", "enc": "A256GCM"}), "", "aaaa", "aaaa", "aaaa"]),
    "nested": unsigned({"cty": "JWT"}, by_us()),
    "5 segments": by_us() + ".a.b",
    "no kid": unsigned({"kid": ""}),
}
TIMES: dict[str, str] = {
    "no exp": by_us(exp=None),
    "exp in 10 years": by_us(exp=NOW + 315_360_000),
    "future iat": by_us(iat=NOW + 3600, exp=NOW + 4200),
    "future nbf": by_us(nbf=NOW + 3600),
    "float exp": by_us(exp=NOW + 600.5),
    "huge exp": by_us(exp=10**30),
    "expired": by_us(iat=NOW - 700, exp=NOW - 61),
    "exp before iat": by_us(iat=NOW + 30, exp=NOW + 10),
}
AUDIENCES: dict[str, str] = {
    "another gateway": by_us(aud=f"{PUBLIC}/v1/mcp/h"),
    "the control API": by_us(aud=f"{PUBLIC}/api/v1"),
    "parent path": by_us(aud=f"{PUBLIC}/v1/mcp"),
    "trailing slash": by_us(aud=f"{RESOURCE}/"),
    "upper-case host": by_us(aud=RESOURCE.replace("http", "HTTP")),
    "list of audiences": by_us(aud=[RESOURCE, "https://other.example"]),
    "ID token": by_us({"typ": "JWT"}),
    "no audience": by_us(aud=None),
}
ELSEWHERE: dict[str, str] = {
    "another issuer, our key": by_us(iss="https://elsewhere.example"),
    "our issuer, another key": FakeIssuer(PUBLIC, kind="own").token(aud=RESOURCE),
    "another deployment's token": FakeIssuer("https://elsewhere.example", kind="own").token(aud=RESOURCE),
}


def cases(row: str, tokens: dict[str, str]) -> list[Any]:
    return [pytest.param(token, id=f"{row}: {name}") for name, token in tokens.items()]


async def serve(rig: Rig, upstream: McpUpstream, provider: FakeIssuer | None = PROVIDER) -> None:
    """Gateways `g` and `h` for all ways of authenticating, and a caller by whom `g` and our keys are here."""
    for issuer in (OURS, PROVIDER, OTHER):
        rig.control.knows(issuer)
    named = None if provider is None else TokenIssuer(provider.provider_id, provider.name, AUDIENCE)
    for slug in ("g", "h"):
        tools = [rig.control.tool("t", "echo", rig.control.installation(upstream.url))]
        await rig.serve(tools, slug, client_auth_beside=["oauth", "jwt"], identity_provider=named)
    warm = OURS.token(aud=RESOURCE)
    rig.control.bears(warm)
    assert (await rig.call("t", token=warm)).status == 200
    upstream.seen.clear()


async def is_refused(rig: Rig, token: str, gateway: str = "g") -> None:
    reply = await rig.call("t", token=token, gateway=gateway)
    assert (reply.status, reply.error["code"]) == (401, -31401)
    assert reply.headers["WWW-Authenticate"].startswith(CHALLENGE.replace("/mcp/g", f"/mcp/{gateway}"))


@pytest.mark.parametrize(
    "token",
    [*cases("A-2", FORMS), *cases("A-3", TIMES), *cases("A-6", AUDIENCES), *cases("A-7", ELSEWHERE)],
)
async def test_a_token_that_does_not_hold_is_refused_and_nobody_is_asked(
    rig: Rig, upstream: McpUpstream, token: str
) -> None:
    await serve(rig, upstream)
    asked = len(rig.control.asked)
    for _ in range(2):
        await is_refused(rig, token)
    assert upstream.seen == []
    assert set(rig.control.asked[asked:]) <= {"/internal/key-set"}  # for a key that is not known, once
    assert len(rig.control.asked[asked:]) <= 1


@pytest.mark.parametrize("method", ["POST", "GET", "DELETE", "PUT"])
async def test_a_token_that_does_not_hold_is_refused_with_every_method(
    rig: Rig, upstream: McpUpstream, method: str
) -> None:
    await serve(rig, upstream)
    headers = [("Host", "127.0.0.1"), ("Authorization", f"Bearer {AUDIENCES['another gateway']}")]
    answer = await exchange(rig.port, request_bytes(method, "/v1/mcp/g", headers))
    assert answer.status == 401
    assert (answer.header("WWW-Authenticate") or "").startswith(CHALLENGE)


@pytest.mark.parametrize(
    ("token", "provider"),
    [
        pytest.param(OTHER.token(aud=AUDIENCE), PROVIDER, id="A-5: another provider's token"),
        pytest.param(PROVIDER.token(aud=AUDIENCE), None, id="A-5: a provider's token where none is taken"),
        pytest.param(PROVIDER.token(aud=RESOURCE, iss=PUBLIC), PROVIDER, id="A-5: our name in a provider's token"),
    ],
)
async def test_a_token_of_an_issuer_that_the_gateway_does_not_name_is_refused(
    rig: Rig, upstream: McpUpstream, token: str, provider: FakeIssuer | None
) -> None:
    await serve(rig, upstream, provider)
    rig.control.bears(token, auth="jwt")
    asked = len(rig.control.asked)
    await is_refused(rig, token)
    assert set(rig.control.asked[asked:]) <= {"/internal/key-set"}
    assert upstream.seen == []


@pytest.mark.parametrize("_", [pytest.param(None, id="A-6: the gateway by its id")])
async def test_a_token_that_names_a_gateway_by_another_of_its_names_is_refused(
    rig: Rig, upstream: McpUpstream, _: None
) -> None:
    await serve(rig, upstream)
    gateway = next(one for one in rig.control.gateways.values() if one.slug == "g")
    token = OURS.token(aud=f"{PUBLIC}/v1/mcp/{gateway.id}")
    rig.control.bears(token)
    await is_refused(rig, token)
    reply = await rig.call("t", token=token, gateway=gateway.id)
    assert reply.status == 401


async def at_another_gateway(rig: Rig, token: str) -> None:
    await is_refused(rig, token, "h")
    await is_refused(rig, token, "h")
    assert (await rig.call("t", token=token)).status == 200


async def with_another_byte(rig: Rig, token: str) -> None:
    # The last character of a signature of 64 bytes has bits that decoders ignore: another one before it.
    at = len(token) - 10
    other = "A" if token[at] != "A" else "B"
    await is_refused(rig, token[:at] + other + token[at + 1 :])
    assert (await rig.call("t", token=token)).status == 200


async def once_its_key_is_withdrawn(rig: Rig, token: str) -> None:
    issuer = FakeIssuer(PUBLIC, kind="own")
    rig.control.knows(issuer)
    await rig.control.announce("provider", PUBLIC)
    await comes_to_be_refused(rig, token)


async def once_its_provider_is_gone(rig: Rig, _: str) -> None:
    token = PROVIDER.token(aud=AUDIENCE)
    rig.control.bears(token, auth="jwt")
    for _ in range(4):
        assert (await rig.call("t", token=token)).status == 200
    del rig.control.key_sets[PROVIDER.name]
    await rig.control.announce("provider", PROVIDER.name)
    await comes_to_be_refused(rig, token)


async def once_its_grant_is_withdrawn(rig: Rig, token: str) -> None:
    rig.control.verdicts.pop(JwtProof.of(token).digest)
    await rig.control.announce("grant", "grant-1")
    await comes_to_be_refused(rig, token)


async def comes_to_be_refused(rig: Rig, token: str) -> None:
    async def is_refused() -> bool:
        return (await rig.call("t", token=token)).status == 401

    await eventually(is_refused, within=10)


@pytest.mark.parametrize(
    "happens",
    [
        pytest.param(at_another_gateway, id="A-10: a token for gateway A at gateway B"),
        pytest.param(with_another_byte, id="A-10: a byte of the signature"),
        pytest.param(once_its_key_is_withdrawn, id="A-10: outlives its key"),
        pytest.param(once_its_provider_is_gone, id="A-10: outlives its provider"),
        pytest.param(once_its_grant_is_withdrawn, id="A-10: outlives its grant"),
    ],
)
async def test_what_is_remembered_of_a_token_is_about_this_token_and_no_longer_than_it_holds(
    rig: Rig, upstream: McpUpstream, happens: Callable[[Rig, str], Any]
) -> None:
    await serve(rig, upstream)
    token = OURS.token(aud=RESOURCE)
    rig.control.bears(token, credential_id="grant-1")
    for _ in range(4):  # the last may go by a plan
        assert (await rig.call("t", token=token)).status == 200
    await happens(rig, token)


FLOOD = 300


@pytest.mark.parametrize("what", ["unknown keys", "unknown issuers", "bad signatures"])
async def test_a_flood_of_made_up_tokens_costs_control_nothing(rig: Rig, upstream: McpUpstream, what: str) -> None:
    await serve(rig, upstream)
    asked = len(rig.control.asked)
    whole = OURS.token(aud=RESOURCE)
    for number in range(FLOOD):
        token = {
            "unknown keys": lambda n: unsigned({"kid": f"made-up-{n}"}),
            "unknown issuers": lambda n: unsigned({}, claims(iss=f"https://{n}.example")),
            "bad signatures": lambda n: f"{whole[:-20]}{n:020d}",
        }[what](number)
        headers = [("Host", "127.0.0.1"), ("Authorization", f"Bearer {token}")]
        if number % 50 == 0:  # each over the network now and then, all through the stage
            await is_refused(rig, token)
        else:
            assert (await exchange(rig.port, request_bytes("GET", "/v1/mcp/g", headers))).status == 401
    assert len(rig.control.asked[asked:]) <= 1
    assert upstream.seen == []
