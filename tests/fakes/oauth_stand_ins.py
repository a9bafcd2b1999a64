"""Providers of servers that people know, as stand-ins on loopback that do what their documentation and users say.

    async with GitHub() as github:      # also Google, Entra, Atlassian
        github.url                      # of the MCP server that takes its tokens: 401 with a challenge, or 200
        github.asked                    # what came to the token endpoint, as forms

Each is an MCP server and its authorization server, at origins of their own as the real ones are, with one person who
agrees at once. They are strict where the real ones are: a parameter that one does not take is refused. None has been
run against the real provider.
"""

from __future__ import annotations

import base64
import json
import secrets
import time
from abc import ABC, abstractmethod
from contextlib import AsyncExitStack
from typing import Any, ClassVar, Self
from urllib.parse import parse_qsl, unquote_plus, urlencode, urlsplit

from control.registry.pkce import s256_challenge
from tests.fakes.answering import Answering, Asked, Said, text

CLIENT_ID = "Iv1.archway"
CLIENT_SECRET = "a secret: with + and %"
PERSON = "ann"


class StandIn(ABC):
    """What all have in common; each says how it differs."""

    path: ClassVar = "/mcp"
    prm_path: ClassVar = "/.well-known/oauth-protected-resource/mcp"
    scopes: ClassVar[tuple[str, ...]] = ("read", "write")
    """Those that it has; asking for another is refused."""
    takes_resource: ClassVar = True
    rotates: ClassVar = False
    lifetime: ClassVar[Any] = 3600

    def __init__(self) -> None:
        self.server, self.provider, self.tokens_at, self.people_at = (Answering() for _ in range(4))
        """The MCP server, who asks people, who gives tokens, who tells about people: each at an origin of its own."""
        self.asked: list[dict[str, str]] = []
        self.authorized: list[dict[str, str]] = []
        self._codes: dict[str, dict[str, str]] = {}
        self._good: dict[str, tuple[str, ...]] = {}
        """Access tokens with what they may do."""
        self._refresh: dict[str, tuple[str, ...]] = {}
        self._clients = {CLIENT_ID: CLIENT_SECRET}

    @property
    def url(self) -> str:
        """The MCP server's."""
        return f"{self.server.url}{self.path}"

    @property
    def issuer(self) -> str:
        """As its tokens and metadata name it."""
        return self.provider.url

    async def __aenter__(self) -> Self:
        self._stack = AsyncExitStack()
        for one in (self.server, self.provider, self.tokens_at, self.people_at):
            await self._stack.enter_async_context(one)
        self.server.at(self.path, self._mcp)
        self.open()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    @abstractmethod
    def open(self) -> None:
        """Puts each part at its address."""

    def expire(self) -> None:
        """Every access token has ended."""
        self._good.clear()

    def renew_secret(self) -> None:
        """The secret of the client that was registered by hand is another one from now on."""
        self._clients[CLIENT_ID] = "another"

    def describe(self, *issuers: str, **more: Any) -> None:
        """The server says who gives tokens for it."""
        self.server.at(self.prm_path, {"resource": self.url, "authorization_servers": list(issuers), **more})

    def _mcp(self, asked: Asked) -> Said:
        token = asked.headers.get("authorization", "").removeprefix("Bearer ")
        if token in self._good:
            return Said(json.dumps({"who": PERSON}))
        where = f"{self.server.url}{self.prm_path}"
        return text("", 401, WWW_Authenticate=f'Bearer error="invalid_token", resource_metadata="{where}"')

    def authorize(self, asked: Asked) -> Said:
        """The person agrees at once, or the provider says no to what is asked."""
        query = dict(parse_qsl(urlsplit(asked.path).query, keep_blank_values=True))
        self.authorized.append(query)
        assert query["response_type"] == "code"
        assert query["code_challenge_method"] == "S256"
        assert query["client_id"] in self._clients
        error = self.why_not(query)
        code = secrets.token_urlsafe(8)
        self._codes[code] = query
        answer = {"error": error, "error_description": "no"} if error else {"code": code}
        back = urlencode({**answer, "state": query["state"], **self.says_besides()})
        return text("", 302, Location=f"{query['redirect_uri']}?{back}")

    def why_not(self, query: dict[str, str]) -> str:
        """The word with which it refuses what is asked."""
        if not set(query.get("scope", "").split()) <= set(self.scopes):
            return "invalid_scope"
        return "invalid_target" if "resource" in query and not self.takes_resource else ""

    def says_besides(self) -> dict[str, str]:
        """More that it sends along with the browser."""
        return {}

    def token(self, asked: Asked) -> Said:
        """Tokens for a code or a refresh token."""
        form = asked.form
        self.asked.append(form)
        client = self.client_of(asked, form)
        if client is None:
            return self.refusal("invalid_client", 401)
        if "resource" in form and not self.takes_resource:
            return self.refusal("invalid_target", 400)
        if form["grant_type"] == "refresh_token":
            return self._renewed(asked, form["refresh_token"])
        begun = self._codes.pop(form["code"], None)
        if begun is None or s256_challenge(form["code_verifier"]) != begun["code_challenge"]:
            return self.refusal(self.word_for_a_bad_code, 400)
        assert (form["redirect_uri"], client) == (begun["redirect_uri"], begun["client_id"])
        return self.given(asked, tuple(begun.get("scope", "").split()), begun)

    word_for_a_bad_code: ClassVar = "invalid_grant"

    def client_of(self, asked: Asked, form: dict[str, str]) -> str | None:
        """Who asks, if they proved it in one way and not in two."""
        head = asked.headers.get("authorization", "")
        client_id, secret = form.get("client_id", ""), form.get("client_secret", "")
        if head:
            assert not secret, "proved twice"
            pair = base64.b64decode(head.removeprefix("Basic ")).decode().split(":")
            client_id, secret = (unquote_plus(part) for part in pair)
        return client_id if self._clients.get(client_id) == secret else None

    def refusal(self, word: str, status: int) -> Said:
        """How it says no."""
        return Said(json.dumps({"error": word, "error_description": "of a token: gho_secret"}), status)

    def given(self, asked: Asked, scopes: tuple[str, ...], begun: dict[str, str] | None) -> Said:
        """How it says yes."""
        answer = {
            "access_token": self._new_token(scopes),
            "token_type": "Bearer",
            "expires_in": self.lifetime,
            "scope": " ".join(scopes),
        }
        if self.is_given_refresh(scopes, begun):
            answer["refresh_token"] = self._new_refresh(scopes)
        return Said(json.dumps({**answer, **self.given_besides(begun)}), headers={"Cache-Control": "no-store"})

    def given_besides(self, begun: dict[str, str] | None) -> dict[str, Any]:
        """More that comes with the tokens; `begun` None: they were renewed."""
        return {}

    def is_given_refresh(self, scopes: tuple[str, ...], begun: dict[str, str] | None) -> bool:
        """Whether a refresh token comes with them."""
        return begun is not None or self.rotates

    def id_token(self, **claims: Any) -> str:
        """What it says of the person; the signature is nobody's here."""
        said = {"iss": self.issuer, "aud": CLIENT_ID, "sub": "1077", "exp": int(time.time()) + 300, **claims}
        parts = (json.dumps({"alg": "RS256"}).encode(), json.dumps(said).encode(), b"x")
        return ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts)

    def register(self, asked: Asked) -> Said:
        """A client that makes itself known."""
        client_id, secret = f"dcr-{secrets.token_hex(4)}", secrets.token_urlsafe(8)
        method = asked.json["token_endpoint_auth_method"]
        self._clients[client_id] = "" if method == "none" else secret
        told = {"client_id": client_id, "client_id_issued_at": 1, "client_secret_expires_at": 0, **asked.json}
        return Said(json.dumps({**told, **({} if method == "none" else {"client_secret": secret})}), 201)

    def revoke(self, asked: Asked) -> Said:
        """A token that is given back."""
        form = asked.form
        if self.client_of(asked, form) is None:
            return self.refusal("invalid_client", 401)
        for kept in (self._good, self._refresh):
            kept.pop(form["token"], None)
        return text("")

    def _renewed(self, asked: Asked, token: str) -> Said:
        scopes = self._refresh.get(token)
        if scopes is None:
            return self.refusal("invalid_grant", 400)
        if self.rotates:
            del self._refresh[token]
        return self.given(asked, scopes, None)

    def _new_token(self, scopes: tuple[str, ...]) -> str:
        token = f"at-{secrets.token_urlsafe(8)}"
        self._good[token] = scopes
        return token

    def _new_refresh(self, scopes: tuple[str, ...]) -> str:
        token = f"rt-{secrets.token_urlsafe(8)}"
        self._refresh[token] = scopes
        return token


class GitHub(StandIn):
    """No registration, tokens without an end, errors with status 200, forms unless JSON is asked for; its own way to
    say who somebody is, and no RFC 7009.
    """

    path = "/mcp/"
    prm_path = "/.well-known/oauth-protected-resource/mcp/"
    scopes = ("repo", "read:user")
    word_for_a_bad_code = "bad_verification_code"
    publishes = True
    """Whether its metadata is there."""

    @property
    def issuer(self) -> str:
        return f"{self.provider.url}/login/oauth"

    @property
    def account_endpoint(self) -> str:
        """Where it tells who somebody is."""
        return f"{self.people_at.url}/user"

    def open(self) -> None:
        self.describe(self.issuer, scopes_supported=list(self.scopes))
        if self.publishes:
            self.provider.at(
                "/.well-known/oauth-authorization-server/login/oauth",
                {
                    "issuer": self.issuer,
                    "authorization_endpoint": f"{self.issuer}/authorize",
                    "token_endpoint": f"{self.issuer}/access_token",
                    "response_types_supported": ["code"],
                    "grant_types_supported": ["authorization_code", "refresh_token"],
                    "code_challenge_methods_supported": ["S256"],
                },
            )
        self.provider.at("/login/oauth/authorize", self.authorize)
        self.provider.at("/login/oauth/access_token", self.token)
        self.people_at.at("/user", self._user)

    def refusal(self, word: str, status: int) -> Said:
        word = {"invalid_client": "incorrect_client_credentials", "invalid_grant": "bad_refresh_token"}.get(
            word, word
        )
        return super().refusal(word, 200)

    def given(self, asked: Asked, scopes: tuple[str, ...], begun: dict[str, str] | None) -> Said:
        answer = {"access_token": self._new_token(scopes), "scope": ",".join(scopes), "token_type": "bearer"}
        if asked.headers.get("accept") == "application/json":
            return Said(json.dumps(answer))
        return text(urlencode(answer), 200, "application/x-www-form-urlencoded")

    def _user(self, asked: Asked) -> Said:
        known = asked.headers.get("authorization", "").removeprefix("Bearer ") in self._good
        return Said(json.dumps({"login": PERSON, "id": 1077})) if known else Said("{}", 401)


class Google(StandIn):
    """Endpoints at hosts that are foreign to the issuer; a refresh token only for `access_type=offline` with consent,
    and only at the first time; no `offline_access`.
    """

    scopes = ("https://www.googleapis.com/auth/drive", "openid", "email")

    def open(self) -> None:
        self.describe(self.issuer, scopes_supported=["https://www.googleapis.com/auth/drive"])
        self.provider.at(
            "/.well-known/openid-configuration",
            {
                "issuer": self.issuer,
                "authorization_endpoint": f"{self.provider.url}/o/oauth2/v2/auth",
                "token_endpoint": f"{self.tokens_at.url}/token",
                "userinfo_endpoint": f"{self.people_at.url}/v1/userinfo",
                "revocation_endpoint": f"{self.tokens_at.url}/revoke",
                "jwks_uri": f"{self.tokens_at.url}/certs",
                "scopes_supported": ["openid", "email", "profile"],
                "token_endpoint_auth_methods_supported": ["client_secret_post", "client_secret_basic"],
                "code_challenge_methods_supported": ["plain", "S256"],
            },
        )
        self.provider.at("/o/oauth2/v2/auth", self.authorize)
        self.tokens_at.at("/token", self.token)
        self.tokens_at.at("/revoke", self.revoke)

    def is_given_refresh(self, scopes: tuple[str, ...], begun: dict[str, str] | None) -> bool:
        return begun is not None and (begun.get("access_type"), begun.get("prompt")) == ("offline", "consent")

    def given_besides(self, begun: dict[str, str] | None) -> dict[str, Any]:
        if begun is None or "openid" not in begun["scope"].split():
            return {}
        return {"id_token": self.id_token(email="ann@gmail.example")}


class Entra(StandIn):
    """Scopes of its own form, no `resource`, no word about PKCE, a refresh token for `offline_access` alone, which it
    does not tell among what it granted; refresh tokens rotate and the ones before stay good.
    """

    scopes = ("api://11111111-2222/.default", "offline_access", "openid")
    takes_resource = False
    tenant = "9f3c"

    @property
    def issuer(self) -> str:
        return f"{self.provider.url}/{self.tenant}/v2.0"

    def open(self) -> None:
        base = f"{self.provider.url}/{self.tenant}/oauth2/v2.0"
        self.describe(self.issuer, scopes_supported=["api://11111111-2222/.default"])
        self.provider.at(
            f"/{self.tenant}/v2.0/.well-known/openid-configuration",
            {
                "issuer": self.issuer,
                "authorization_endpoint": f"{base}/authorize",
                "token_endpoint": f"{base}/token",
                "userinfo_endpoint": f"{self.people_at.url}/oidc/userinfo",
                "scopes_supported": ["openid", "profile", "email", "offline_access"],
                "token_endpoint_auth_methods_supported": [
                    "client_secret_post", "private_key_jwt", "client_secret_basic", "self_signed_tls_client_auth",
                ],
            },
        )  # fmt: skip
        self.provider.at(f"/{self.tenant}/oauth2/v2.0/authorize", self.authorize)
        self.provider.at(f"/{self.tenant}/oauth2/v2.0/token", self.token)

    def is_given_refresh(self, scopes: tuple[str, ...], begun: dict[str, str] | None) -> bool:
        return "offline_access" in scopes

    def given(self, asked: Asked, scopes: tuple[str, ...], begun: dict[str, str] | None) -> Said:
        answer = json.loads(super().given(asked, scopes, begun).body)
        told = " ".join(one for one in scopes if one != "offline_access")
        return Said(json.dumps({**answer, "scope": told, "ext_expires_in": 3600, "expires_in": "3599"}))


class Atlassian(StandIn):
    """Registers clients by itself and rotates; its metadata stands behind a path that its own name does not have."""

    path = "/v1/mcp"
    prm_path = "/.well-known/oauth-protected-resource/v1/mcp"
    rotates = True
    scopes = ("read:jira", "write:jira", "offline_access")

    def open(self) -> None:
        self.describe(f"{self.provider.url}/VCeDsk8Z", scopes_supported=["read:jira", "write:jira"])
        self.provider.at(
            "/.well-known/oauth-authorization-server/VCeDsk8Z",
            {
                "issuer": self.issuer,
                "authorization_endpoint": f"{self.issuer}/authorize",
                "token_endpoint": f"{self.issuer}/oauth/token",
                "registration_endpoint": f"{self.issuer}/oauth/register",
                "revocation_endpoint": f"{self.issuer}/oauth/revoke",
                "scopes_supported": ["read:jira", "write:jira", "offline_access"],
                "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post", "none"],
                "code_challenge_methods_supported": ["plain", "S256"],
            },
        )
        for name, answer in (("authorize", self.authorize), ("oauth/token", self.token),
                             ("oauth/register", self.register), ("oauth/revoke", self.revoke)):  # fmt: skip
            self.provider.at(f"/{name}", answer)

    def is_given_refresh(self, scopes: tuple[str, ...], begun: dict[str, str] | None) -> bool:
        return "offline_access" in scopes
