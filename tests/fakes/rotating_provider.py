"""A token endpoint on loopback that rotates refresh tokens, detects their reuse, and misbehaves as a test says.

async with RotatingProvider() as provider:
    refresh_token = provider.signs_in("ann")       # a family of refresh tokens
    provider.faults.append(Fault.LOSES)            # for the next request; then it is as before
    provider.granted                               # how often it gave tokens
    provider.takes(access_token)                   # whose token this is; '' for one that it never gave

A used refresh token that comes back ends its family, but for the one before the newest within `grace_s`, which is
given new tokens once more: many providers do so for an answer that was lost. `grace_s` 0: a strict one.
"""

from __future__ import annotations

import asyncio
import base64
import json
import secrets
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Self
from urllib.parse import parse_qsl, unquote_plus

import jwt
from aiohttp import web

CLIENT, SECRET = "archway", "a secret: with + and %"


class Fault(Enum):
    """What goes wrong with one request."""

    LOSES = "does it, and the answer is lost"
    LATE = "answers late"
    BUSY = "429 with Retry-After"
    DOWN = "503"
    PAGE = "200 with HTML"
    NO = "invalid_grant"
    NO_CLIENT = "invalid_client"
    ANOTHER = "tokens of another person"
    NOTHING = "hangs up before anything is done"


@dataclass
class Family:
    """The refresh tokens of one sign-in."""

    person: str
    newest: str
    before: str = ""
    rotated_at: float = 0.0
    is_over: bool = False


@dataclass
class RotatingProvider:
    """The provider; `url` is its issuer."""

    grace_s: float = 30.0
    life_s: float | None = 3600.0
    rotates: bool = True
    tells_scope: str = ""
    late_s: float = 0.3
    faults: deque[Fault] = field(default_factory=deque)
    forms: list[dict[str, str]] = field(default_factory=list)
    granted: int = 0
    reused: int = 0
    metadata: dict[str, Any] = field(default_factory=dict)
    metadata_status: int = 200
    client_key: Any = None
    """The public key of a client that signs."""
    at_each: Callable[[], None] = lambda: None
    """Called when a request has come and nothing is done yet."""
    families: list[Family] = field(default_factory=list)
    url: str = ""
    _given: dict[str, str] = field(default_factory=dict)

    def signs_in(self, person: str) -> str:
        self.families.append(Family(person, secrets.token_urlsafe(12)))
        return self.families[-1].newest

    def takes(self, access_token: str) -> str:
        return self._given.get(access_token, "")

    def is_signed_in(self, person: str) -> bool:
        return any(one.person == person and not one.is_over for one in self.families)

    @property
    def endpoint(self) -> str:
        return f"{self.url}/token"

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_post("/token", self._token)
        app.router.add_post("/revoke", self._revoke)
        app.router.add_get("/.well-known/oauth-authorization-server", self._metadata)
        self._runner = web.AppRunner(app)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0, backlog=1024).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._runner.cleanup()

    async def _metadata(self, _: web.Request) -> web.Response:
        usual = {"issuer": self.url, "token_endpoint": self.endpoint, "authorization_endpoint": f"{self.url}/auth"}
        return web.json_response({**usual, **self.metadata}, status=self.metadata_status)

    async def _revoke(self, request: web.Request) -> web.Response:
        """RFC 7009, of a client that proves itself. Its metadata names this address where a test says so."""
        form = dict(parse_qsl((await request.read()).decode()))
        if not self._proven(request, form):
            return web.json_response({"error": "invalid_client"}, status=401)
        self._given.pop(form["token"], None)
        return web.Response()

    async def _token(self, request: web.Request) -> web.StreamResponse:
        form = dict(parse_qsl((await request.read()).decode()))
        self.forms.append(form)
        self.at_each()
        fault = self.faults.popleft() if self.faults else None
        if fault is Fault.LATE:
            await asyncio.sleep(self.late_s)
        if fault in _ANSWERS:
            status, body, kind, headers = _ANSWERS[fault]
            return web.Response(status=status, text=body, content_type=kind, headers=headers)
        if fault is Fault.NOTHING:
            return _hung_up(request)
        status, told = self._answer(request, form, fault)
        return _hung_up(request) if fault is Fault.LOSES else web.json_response(told, status=status)

    def _answer(self, request: web.Request, form: dict[str, str], fault: Fault | None) -> tuple[int, dict[str, Any]]:
        if not self._proven(request, form):
            return 401, {"error": "invalid_client"}
        if form["grant_type"] == "client_credentials":
            return 200, self._tokens(f"client {form.get('scope', '')}".strip(), "")
        found = next((one for one in self.families if form["refresh_token"] in {one.newest, one.before}), None)
        if found is None or found.is_over:
            return 400, {"error": "invalid_grant"}
        if form["refresh_token"] != found.newest and time.monotonic() - found.rotated_at > self.grace_s:
            found.is_over = True
            self.reused += 1
            return 400, {"error": "invalid_grant"}
        if self.rotates:
            found.before, found.newest = found.newest, secrets.token_urlsafe(12)
            found.rotated_at = time.monotonic()
        told = self._tokens(found.person, found.newest if self.rotates else "")
        if fault is Fault.ANOTHER:
            told["id_token"] = _unsigned({"iss": self.url, "aud": CLIENT, "sub": "bob", "exp": time.time() + 60})
        return 200, told

    def _tokens(self, whose: str, refresh_token: str) -> dict[str, Any]:
        self.granted += 1
        access = secrets.token_urlsafe(12)
        self._given[access] = whose
        told: dict[str, Any] = {"access_token": access, "token_type": "Bearer"}
        if self.life_s is not None:
            told["expires_in"] = self.life_s
        if refresh_token:
            told["refresh_token"] = refresh_token
        if self.tells_scope:
            told["scope"] = self.tells_scope
        return told

    def _proven(self, request: web.Request, form: dict[str, str]) -> bool:
        given = request.headers.get("Authorization", "")
        if given.startswith("Basic "):
            name, _, secret = base64.b64decode(given[6:]).decode().partition(":")
            return (unquote_plus(name), unquote_plus(secret)) == (CLIENT, SECRET)
        if "client_assertion" in form:
            claims = jwt.decode(form["client_assertion"], self.client_key, ["ES256"], audience=self.url)
            return bool(claims["sub"] == CLIENT)
        return form.get("client_id") == CLIENT and form.get("client_secret", SECRET) == SECRET


_ANSWERS: dict[Fault | None, tuple[int, str, str, dict[str, str]]] = {
    Fault.BUSY: (429, "", "text/plain", {"Retry-After": "120"}),
    Fault.DOWN: (503, "", "text/plain", {}),
    Fault.PAGE: (200, "<html>We'll be back soon</html>", "text/html", {}),
    Fault.NO: (400, json.dumps({"error": "invalid_grant"}), "application/json", {}),
    Fault.NO_CLIENT: (401, json.dumps({"error": "invalid_client"}), "application/json", {}),
}


def _hung_up(request: web.Request) -> web.StreamResponse:
    assert request.transport is not None
    request.transport.abort()
    return web.Response()


def _unsigned(claims: dict[str, Any]) -> str:
    parts = [base64.urlsafe_b64encode(json.dumps(one).encode()).rstrip(b"=").decode() for one in ({}, claims)]
    return f"{parts[0]}.{parts[1]}."
