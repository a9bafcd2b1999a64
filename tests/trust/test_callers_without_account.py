"""Tokens that let in neither somebody without an account nor a job, at a gateway (rows A-2 to A-7 once more).

Control would say of each who bears it, and is not asked: what is wrong with a token is seen by what the proxy holds.
"""

from __future__ import annotations

import base64
import json
import time
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from core.resolve import Principal
from core.snapshot import TokenIssuer, Visibility
from tests.fakes.issuers import FakeIssuer
from tests.fakes.mcp_upstream import McpUpstream
from tests.proxy.conftest import Rig

AUDIENCE = "api://archway"
NOW = int(time.time())
PROVIDER = FakeIssuer("https://ci.example", provider_id="p1")
OTHER = FakeIssuer("https://other.example", provider_id="p2")
IMITATED = FakeIssuer(PROVIDER.name, provider_id="p1")
"""Another deployment's provider of the same name, with keys of its own."""
KID = next(iter(PROVIDER.keys))
TEAM = frozenset({"partners"})
BEARERS = (
    Principal("external", "01980000-0000-7000-8000-0000000000e1", "zoe at https://ci.example", TEAM),
    Principal("service", "01980000-0000-7000-8000-0000000000c1", "Nightly", TEAM),
)


def part(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def token(issuer: FakeIssuer = PROVIDER, header: dict[str, Any] | None = None, kid: str = "", **said: Any) -> str:
    usual = {"aud": AUDIENCE, "sub": "repo:acme/shop:ref:refs/heads/main"}
    return issuer.token(kid=kid, header=header, **{**usual, **said})


def said_by(issuer: FakeIssuer) -> dict[str, Any]:
    return {"iss": issuer.name, "sub": "zoe", "aud": AUDIENCE, "iat": NOW, "exp": NOW + 300}


def by_a_shared_secret() -> str:
    secret = PROVIDER.keys[KID].public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    return jwt.encode(said_by(PROVIDER), secret, algorithm="HS256", headers={"kid": KID})


def unsigned(algorithm: str) -> str:
    return f"{part({'alg': algorithm, 'kid': KID})}.{part(said_by(PROVIDER))}.AAAA"


BAD = {
    "A-2: external, alg none": unsigned("none"),
    "A-2: external, alg nOnE": unsigned("nOnE"),
    "A-2: external, HS256 with the public key": by_a_shared_secret(),
    "A-2: external, crit": token(header={"crit": ["exp"]}),
    "A-2: external, jku": token(IMITATED, {"kid": KID, "jku": "https://other.example/keys"}),
    "A-2: external, 5 segments": f"{token()}.AAAA.AAAA",
    "A-3: external, no exp": token(exp=None),
    "A-3: external, exp 10 years": token(exp=NOW + 315_360_000),
    "A-3: external, future iat": token(iat=NOW + 600, exp=NOW + 900),
    "A-3: external, future nbf": token(nbf=NOW + 600, exp=NOW + 900),
    "A-3: external, float exp": token(exp=NOW + 300.5),
    "A-4: external, a foreign key under a known kid": token(IMITATED, {"kid": KID}),
    "A-5: external, another provider's token": token(OTHER),
    "A-5: external, no subject": token(sub=None),
    "A-5: external, a subject that is no text": token(sub=["zoe"]),
    "A-6: external, another audience": token(aud="api://another"),
    "A-6: external, trailing slash": token(aud=f"{AUDIENCE}/"),
    "A-6: external, upper-case host": token(aud="api://ARCHWAY"),
    "A-6: external, list of audiences": token(aud=[AUDIENCE, "api://another"]),
    "A-6: external, no audience": token(aud=None),
    "A-7: external, another deployment's provider": token(IMITATED),
}


async def serve(rig: Rig, upstream: McpUpstream) -> None:
    rig.control.knows(PROVIDER)
    await rig.serve(
        [rig.control.tool("t", "echo", rig.control.installation(upstream.url))],
        identity_provider=TokenIssuer("p1", PROVIDER.name, AUDIENCE),
        client_auth_beside=["oauth", "jwt"],
        visibility=Visibility("teams", teams=["partners"]),
    )


@pytest.mark.parametrize("bad", [pytest.param(bad, id=name) for name, bad in BAD.items()])
async def test_a_bad_token_lets_in_nobody_whoever_would_bear_it(rig: Rig, upstream: McpUpstream, bad: str) -> None:
    await serve(rig, upstream)
    for bearer in BEARERS:
        rig.control.bears(bad, bearer, auth="jwt", client="", scopes=frozenset())
        assert (await rig.call("t", token=bad)).status == 401
    assert upstream.seen == []
    assert "/internal/token" not in rig.control.asked


async def test_a_good_token_lets_them_in(rig: Rig, upstream: McpUpstream) -> None:
    await serve(rig, upstream)
    for bearer in BEARERS:
        good = token(nbf=NOW - 5)
        rig.control.bears(good, bearer, auth="jwt", client="", scopes=frozenset())
        assert (await rig.call("t", token=good)).status == 200
