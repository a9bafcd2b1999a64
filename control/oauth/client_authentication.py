"""How a client proves itself where it brings a code or a token (RFC 6749 section 2.3), and which client that is.

Called by the token and the revocation endpoint. A public client only names itself; another has a secret, in the
header or in the body, or signs an assertion with a key of its own (RFC 7523), which is good once. What it registered
decides, not what it happens to send.
"""

import base64
import binascii
import hmac
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import unquote_plus

from aiohttp import web

from control.http.client_address import client_address
from control.oauth.assertions import PARAMETER
from control.oauth.errors import OAuthRefused, invalid_request
from control.oauth.named_client import named_for_token
from control.oauth.parameters import Parameters
from control.oauth.server import AuthorizationServer
from control.registry.oauth_client import ASSERTION_ALGORITHMS, SECRET_METHODS, OAuthClient
from control.store import oauth_grants
from control.store.pool import transaction
from core.jwk import usable_keys
from core.jwt import LEEWAY_S, BareKey, TokenRefused, VerifiedClaims, named_issuer, verify
from core.tokens import digest

ASSERTION_TYPE: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_LONGEST_ASSERTION_S: Final = 600
_CHECK: Final = "Check the client's id and secret, or give it another: archway oauth-clients renew-secret NAME."
_NAME_IT: Final = "Have the client send its client_id, which `archway oauth-clients list` shows."


@dataclass(frozen=True, slots=True)
class _Shown:
    """What a client shows: who it says it is, and at most one proof."""

    client_id: str
    secret: str = ""
    assertion: str = ""
    basic: bool = False


async def authenticated(server: AuthorizationServer, request: web.Request, form: Parameters) -> OAuthClient:
    """The client; raises OAuthRefused `invalid_client` unless it proved itself as it registered to."""
    shown = _shown(request, form)
    if not shown.client_id.isprintable():  # nobody's name, and none that can be looked up
        raise _unproven("The request does not name a client.", _NAME_IT)
    try:
        client = await named_for_token(server, shown.client_id, form.one(PARAMETER))
        await _prove(server, client, shown)
    except OAuthRefused as refused:
        if refused.code == "invalid_client":
            await server.limits.check("proof", client_address(request))
        raise
    return client


def challenge_of(request: web.Request) -> Mapping[str, str]:
    """The header of a refusal to a client that used HTTP authentication (RFC 6749 section 5.2)."""
    return {"WWW-Authenticate": 'Basic realm="archway"'} if "Authorization" in request.headers else {}


def _shown(request: web.Request, form: Parameters) -> _Shown:
    named, secret = form.one("client_id"), form.one("client_secret")
    assertion, kind = form.one("client_assertion"), form.one("client_assertion_type")
    headers = request.headers.getall("Authorization", [])
    if len(headers) + bool(secret) + bool(assertion or kind) > 1:
        raise invalid_request("The client proves itself in more than one way; use one.")
    if headers:
        client_id, secret = _basic(headers[0])
        if named and named != client_id:
            raise invalid_request("The header and the body name different clients.")
        return _Shown(client_id, secret, basic=True)
    if assertion or kind:
        if kind != ASSERTION_TYPE:
            raise _unproven("client_assertion_type is not the one for signed assertions.")
        return _Shown(_named_by(assertion, named), assertion=assertion)
    if not named:
        raise _unproven("The request does not name a client.", _NAME_IT)
    return _Shown(named, secret)


def _basic(header: str) -> tuple[str, str]:
    scheme, _, encoded = header.partition(" ")
    try:
        text = base64.b64decode(encoded.strip(), validate=True).decode() if scheme.lower() == "basic" else ""
    except (binascii.Error, UnicodeDecodeError, ValueError):
        text = ""
    name, separator, secret = text.partition(":")
    if not separator or not name:
        raise _unproven("The Authorization header is not a client's.")
    # Both are form-encoded first (RFC 6749 section 2.3.1); ours have nothing that this would change.
    return unquote_plus(name), unquote_plus(secret)


def _named_by(assertion: str, named: str) -> str:
    try:
        issuer = named_issuer(assertion)
    except TokenRefused:
        raise _unproven("The assertion is not a signed token.") from None
    if named and named != issuer:
        raise _unproven("The assertion is another client's.")
    return issuer


async def _prove(server: AuthorizationServer, client: OAuthClient, shown: _Shown) -> None:
    if client.auth_method == "none":
        if shown.secret or shown.assertion:
            raise _unproven("This client has no secret and no key; leave its proof out.")
    elif client.auth_method in SECRET_METHODS:
        kept = client.secret_digest or ""
        if not shown.secret or not hmac.compare_digest(digest(shown.secret), kept):
            raise _unproven("The client's secret is missing or wrong.")
    else:
        await _prove_by_key(server, client, shown.assertion)


async def _prove_by_key(server: AuthorizationServer, client: OAuthClient, assertion: str) -> None:
    if not assertion:
        raise _unproven("This client proves itself with a signed assertion, which is missing.")
    found = client.jwks.get("keys", []) if client.jwks else await _fetched_keys(server, client)
    keys = _ClientKeys(client.client_id, {key["kid"]: key for key in usable_keys(found, ASSERTION_ALGORITHMS).keys})
    claims = _verified(assertion, keys, (server.issuer, server.token_endpoint))
    if claims["sub"] != client.client_id:
        raise _unproven("The assertion is about another client.")
    if claims["exp"] - time.time() > _LONGEST_ASSERTION_S:
        raise _unproven("The assertion is good for too long; ten minutes is the most.")
    name = claims.get("jti")
    if not isinstance(name, str) or not name:
        raise _unproven("The assertion has no `jti`.")
    until = datetime.fromtimestamp(claims["exp"] + LEEWAY_S, UTC)
    async with transaction(server.pool) as connection:
        if not await oauth_grants.use_assertion(connection, digest(f"{client.id}\n{name}"), until):
            raise _unproven("The assertion was used before; sign another.")


async def _fetched_keys(server: AuthorizationServer, client: OAuthClient) -> list[Any]:
    return await server.documents.keys(client.jwks_uri, known=client.kind != "dynamic")


def _verified(assertion: str, keys: "_ClientKeys", audiences: tuple[str, ...]) -> VerifiedClaims:
    for audience in audiences:
        try:
            return verify(assertion, keys, audience, time.time())
        except TokenRefused as refused:
            if refused.why != "audience":
                raise _unproven(str(refused)) from None
    raise _unproven("The assertion was made for another server.")


@dataclass(frozen=True, slots=True)
class _ClientKeys:
    """A client's own keys, as `core.jwt.verify` asks for them."""

    issuer: str
    by_kid: Mapping[str, Mapping[str, Any]]
    kind: str = "client"
    algorithms: tuple[str, ...] = ASSERTION_ALGORITHMS

    def key_for(self, kid: str, algorithm: str) -> BareKey | None:
        """The key that an assertion names; the only one, where it names none."""
        if not kid and len(self.by_kid) == 1:
            return BareKey(next(iter(self.by_kid.values())))
        return BareKey(self.by_kid[kid]) if kid in self.by_kid else None


def _unproven(sentence: str, cure: str = _CHECK) -> OAuthRefused:
    return OAuthRefused("invalid_client", sentence, cure=cure)
