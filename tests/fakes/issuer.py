"""An issuer of tokens on loopback that answers whatever a test wants: its metadata, its keys, or something broken.

    async with FakeIssuer() as issuer:
        issuer.keys = [issuer.key("a")]; token = issuer.token("a", sub="ann", aud="...")
        issuer.answer_keys = lambda: web.Response(status=404)

It signs with real keys. A real provider with people who sign in is `identity_provider.py`.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter
from collections.abc import Callable
from functools import lru_cache
from typing import Any, Self

import jwt
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

Answer = Callable[[], web.StreamResponse]


@lru_cache(maxsize=32)
def rsa_key(name: str, bits: int) -> rsa.RSAPrivateKey:
    """A key of this name, the same each time: to make one takes a while."""
    return rsa.generate_private_key(65537, bits)


@lru_cache(maxsize=8)
def ec_key(name: str) -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def rsa_jwk(name: str, bits: int = 2048, **members: Any) -> dict[str, Any]:
    """Its public half as an issuer publishes it, with what a test changes."""
    return {
        **RSAAlgorithm.to_jwk(rsa_key(name, bits).public_key(), as_dict=True),
        "kid": name,
        "use": "sig",
        **members,
    }


def ec_jwk(name: str, **members: Any) -> dict[str, Any]:
    return {**ECAlgorithm.to_jwk(ec_key(name).public_key(), as_dict=True), "kid": name, **members}


class FakeIssuer:
    """Serves metadata and keys, and signs tokens."""

    def __init__(self) -> None:
        self.keys: list[dict[str, Any]] = [rsa_jwk("a")]
        self.metadata: dict[str, Any] = {}
        """Over the usual metadata; None takes a member away."""
        self.answer_keys: Answer | None = None
        self.asked: Counter[str] = Counter()
        self.arrivals: asyncio.Queue[None] = asyncio.Queue()
        """One for each question for its keys."""
        self.hold = asyncio.Event()
        """Keys are answered while it is set."""
        self.hold.set()
        self.issuer = ""
        self._runner: web.AppRunner | None = None

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_get("/.well-known/openid-configuration", self._configuration)
        app.router.add_get("/keys", self._keys)
        self._runner = web.AppRunner(app)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.issuer = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        self.hold.set()
        if self._runner is not None:
            await self._runner.cleanup()

    @property
    def fetched(self) -> int:
        """How often its keys were asked for."""
        return self.asked["keys"]

    def token(self, key: str = "a", *, header: dict[str, Any] | None = None, **claims: Any) -> str:
        """A token signed with this key; claims over the usual ones, None takes one away."""
        now = int(time.time())
        usual = {"iss": self.issuer, "sub": "ann", "iat": now, "exp": now + 300, "jti": "1"}
        said = {name: value for name, value in {**usual, **claims}.items() if value is not None}
        head = {"kid": key, "typ": "at+jwt", **(header or {})}
        return jwt.encode(said, rsa_key(key, 2048), algorithm="RS256", headers=head)

    async def _configuration(self, _: web.Request) -> web.StreamResponse:
        self.asked["metadata"] += 1
        usual = {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/keys",
        }
        said = {name: value for name, value in {**usual, **self.metadata}.items() if value is not None}
        return web.json_response(said)

    async def _keys(self, _: web.Request) -> web.StreamResponse:
        self.asked["keys"] += 1
        self.arrivals.put_nowait(None)
        await self.hold.wait()
        if self.answer_keys is not None:
            return self.answer_keys()
        return web.Response(text=json.dumps({"keys": self.keys}), content_type="application/json")
