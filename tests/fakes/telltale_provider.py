"""A provider and its client's secrets, of which each value is remembered, with the places that it may be sent to.

    async with TelltaleProvider(ledger) as provider:      # an authorization server; the person agrees at once
        provider.url                                      # its issuer
        provider.echoes.append("/token")                  # the next answer there is an error that repeats what came
    ledger.misplaced()                                    # secrets that were received where they do not belong

It rotates refresh tokens, gives ID tokens, and takes codes, secrets and signed assertions, without judging them: what
matters here is where they come to. `Ledger.received` is told what came to any server of a test.
"""

from __future__ import annotations

import base64
import json
import secrets
import time
from dataclasses import dataclass, field
from typing import Any, Self
from urllib.parse import parse_qsl, urlencode, urlsplit

from tests.fakes.answering import Answering, Asked, Said, text
from tests.plugins.secret_canaries import Canaries

CLIENT_ID = "archway-here"
METADATA = "/.well-known/oauth-authorization-server"


@dataclass
class Ledger:
    """All secrets of a test, and all that was received anywhere."""

    secrets: dict[str, tuple[str, frozenset[str]]] = field(default_factory=dict)
    """By value: what it is, and the places that may get it."""
    came: dict[str, list[bytes]] = field(default_factory=dict)
    """By place: each request, whole."""
    _canaries: dict[str, Canaries] = field(default_factory=dict)

    def secret(self, what: str, value: str, *places: str) -> str:
        if value not in self.secrets:
            self.secrets[value], self._canaries[value] = (what, frozenset(places)), Canaries()
            self._canaries[value].watch(what, value)
        return value

    def made(self, what: str, *places: str) -> str:
        """A new one."""
        return self.secret(what, f"canary{secrets.token_hex(16)}", *places)

    def received(self, place: str, request: bytes) -> None:
        self.came.setdefault(place, []).append(request)

    def found_in(self, where: str, content: bytes | str) -> list[str]:
        """Which secrets are there, raw, in base64 or in hex; it names them and shows none."""
        given = content if isinstance(content, bytes) else content.encode("utf-8", "backslashreplace")
        return [hit for canary in self._canaries.values() for hit in canary.hits(where, given)]

    def misplaced(self) -> list[str]:
        """Secrets that came to a place that is not theirs."""
        all_that_came = {place: b"\n".join(requests) for place, requests in self.came.items()}
        return [
            hit
            for place, content in all_that_came.items()
            for value, (_, places) in self.secrets.items()
            if place not in places
            for hit in self._canaries[value].hits(place, content)
        ]

    def arrived(self) -> set[str]:
        """Kinds of secrets that came to a place of theirs: what a test has really put on its way."""
        return {
            what
            for value, (what, places) in self.secrets.items()
            for place in places
            if self._canaries[value].hits(place, b"\n".join(self.came.get(place, [])))
        }


class TelltaleProvider:
    """The provider; its places in the ledger are named `NAME /path`."""

    def __init__(self, ledger: Ledger, name: str = "provider") -> None:
        self.ledger, self.name, self.http = ledger, name, Answering()
        self.echoes: list[str] = []
        """Paths whose next answer is an error with all that came in it."""
        self.granted = 0

    @property
    def url(self) -> str:
        return self.http.url

    def place(self, path: str) -> str:
        return f"{self.name} {path}"

    async def __aenter__(self) -> Self:
        await self.http.__aenter__()
        self.http.at(METADATA, self._heard(self._metadata))
        for path, answer in (("/authorize", self._authorize), ("/token", self._token), ("/revoke", self._revoke)):
            self.http.at(path, self._heard(answer))
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.http.__aexit__()

    async def sign_in(self, browser: Any, address: str, _: str) -> str:
        """Where the browser of somebody who goes to this address is sent back to."""
        async with browser.get(address, allow_redirects=False) as answer:
            assert answer.status == 302, (answer.status, await answer.text())
            return str(answer.headers["Location"])

    def _heard(self, answer: Any) -> Any:
        def heard(asked: Asked) -> Said:
            path = urlsplit(asked.path).path
            whole = request_bytes(asked.path, asked.headers, asked.body)
            self.ledger.received(self.place(path), whole)
            if path in self.echoes:
                self.echoes.remove(path)
                told = {"error": "invalid_request", "error_description": whole.decode(), "error_uri": whole.decode()}
                return Said(json.dumps(told), 400)
            said: Said = answer(asked)
            return said

        return heard

    def _metadata(self, _: Asked) -> Said:
        told = {name: f"{self.url}/{path}" for name, path in (
            ("authorization_endpoint", "authorize"), ("token_endpoint", "token"), ("revocation_endpoint", "revoke")
        )}  # fmt: skip
        return Said(json.dumps({
            **told, "issuer": self.url, "code_challenge_methods_supported": ["S256"],
            "response_types_supported": ["code"], "scopes_supported": ["openid", "read"],
            "token_endpoint_auth_methods_supported": ["client_secret_basic", "private_key_jwt"],
        }))  # fmt: skip

    def _authorize(self, asked: Asked) -> Said:
        query = dict(parse_qsl(urlsplit(asked.path).query))
        self.ledger.secret("state", query["state"], self.place("/authorize"))
        code = self.ledger.made("authorization code", self.place("/token"))
        return text("", 302, Location=f"{query['redirect_uri']}?{urlencode({'code': code, 'state': query['state']})}")

    def _token(self, asked: Asked) -> Said:
        form, here = asked.form, self.place("/token")
        for name, what in (("code_verifier", "PKCE verifier"), ("client_assertion", "assertion")):
            if name in form:
                self.ledger.secret(what, form[name], here)
        self.granted += 1
        given: dict[str, Any] = {
            "token_type": "Bearer",
            "expires_in": 3600,
            "scope": form.get("scope", "openid read"),
        }
        revoked_at = self.place("/revoke")
        given["access_token"] = self.ledger.made("access token", "server", revoked_at)
        if form["grant_type"] != "client_credentials":
            given["refresh_token"] = self.ledger.made("refresh token", here, revoked_at)
            given["id_token"] = self._id_token()
        return Said(json.dumps(given))

    def _id_token(self) -> str:
        claims = {"iss": self.url, "aud": CLIENT_ID, "sub": "ann", "email": "ann@corp.test", "exp": time.time() + 600}
        mark = self.ledger.made("claim of an ID token")
        parts = [_base64(json.dumps(one).encode()) for one in ({"alg": "none"}, {**claims, "jti": mark})]
        return self.ledger.secret("ID token", f"{'.'.join(parts)}.{_base64(secrets.token_bytes(24))}")

    def _revoke(self, _: Asked) -> Said:
        return text("")


def request_bytes(path: str, headers: Any, body: bytes) -> bytes:
    """All of a request, as one looks for secrets in it."""
    return "\n".join([path, *(f"{name}: {value}" for name, value in headers.items())]).encode() + b"\n" + body


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
