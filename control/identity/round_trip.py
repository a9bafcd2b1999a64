"""The way to a provider and back: the address that a browser is sent to, and what must come back with it. Pure.

Called by `control/sign_in/oidc.py`. What was begun is kept in a sealed cookie of that very browser, so that strangers
who begin and never end cost no row; what came back once is remembered, so that it cannot come back twice.
"""

import hmac
import secrets
from collections.abc import Mapping
from hashlib import sha256
from typing import Final
from urllib.parse import urlencode, urlsplit, urlunsplit

import msgspec

from control.registry.identity_provider import Endpoints, IdentityProvider
from control.registry.pkce import s256_challenge

AGE_S: Final = 600.0
"""A person may take so long at the provider."""
COOKIE_PREFIX: Final = "archway-oidc-"
"""What the names of the cookies of all sign-ins begin with that are under way in a browser."""
_LONGEST_CODE: Final = 8 << 10


class Begun(msgspec.Struct, frozen=True):
    """A sign-in that was begun in one browser and has not come back yet."""

    provider_id: str
    state: str
    nonce: str
    verifier: str
    """Proves to the provider that whoever brings the code is who asked for it (PKCE, RFC 7636)."""
    return_to: str
    at: float

    def __repr__(self) -> str:
        return f"Begun({self.provider_id})"


class BadReturn(Exception):
    """What came back does not belong to what was begun here; the sentence is for the person."""

    def __init__(self, why: str, sentence: str) -> None:
        super().__init__(sentence)
        self.why = why


def begin(provider_id: str, return_to: str, now: float) -> Begun:
    """Another sign-in, with secrets that nobody can guess."""
    return Begun(
        provider_id, secrets.token_urlsafe(32), secrets.token_urlsafe(32), secrets.token_urlsafe(48), return_to, now
    )


def authorize_url(provider: IdentityProvider, endpoints: Endpoints, redirect_uri: str, begun: Begun) -> str:
    """Where the browser is sent. What Archway fills stands over what the provider's settings say; a parameter that
    these leave empty is not sent.
    """
    parameters = {
        **provider.authorize_parameters,
        "response_type": "code",
        "client_id": provider.client_id,
        "redirect_uri": redirect_uri,
        "scope": " ".join(provider.scopes),
        "state": begun.state,
        "nonce": begun.nonce,
        "code_challenge": s256_challenge(begun.verifier),
        "code_challenge_method": "S256",
    }
    if "offline_access" in provider.scopes and "prompt" not in parameters:
        # OpenID Connect Core 11: without consent the provider ignores the wish for tokens that last.
        parameters["prompt"] = "consent"
    parts = urlsplit(endpoints.authorization_endpoint)
    query = "&".join(part for part in (parts.query, urlencode(_filled(parameters))) if part)
    return urlunsplit((parts.scheme, parts.netloc, parts.path, query, ""))


def code_of(
    answer: Mapping[str, str], provider: IdentityProvider, endpoints: Endpoints, begun: Begun, now: float
) -> str:
    """The code that came back; raises BadReturn where the answer is not the one to what was begun."""
    if begun.provider_id != provider.id or not _equal(answer.get("state", ""), begun.state):
        raise BadReturn("state", "This sign-in was not begun in this browser, or has ended already: begin again.")
    if not 0 <= now - begun.at <= AGE_S:
        raise BadReturn("late", "This sign-in took longer than ten minutes: begin again.")
    said = answer.get("iss")
    if (said is None and endpoints.names_issuer) or (said is not None and said != provider.issuer):
        raise BadReturn("issuer", "Another identity provider answered than the one that was asked: begin again.")
    if "error" in answer:
        raise BadReturn(*_refusal(answer["error"]))
    code = answer.get("code", "")
    if not code or len(code) > _LONGEST_CODE or not code.isprintable():
        raise BadReturn("no_code", "The identity provider answered without a code: begin again.")
    return code


def cookie_word(state: str) -> str:
    """The name of the cookie of one sign-in: several may be under way, one in each tab."""
    return COOKIE_PREFIX + sha256(state.encode(errors="surrogatepass")).hexdigest()[:16]


def pack_begun(begun: Begun) -> bytes:
    """What was begun, as it is sealed into the cookie of the browser that began it."""
    return msgspec.json.encode(begun)


def unpack_begun(plain: bytes) -> Begun:
    """What `pack_begun` made; raises `msgspec.MsgspecError` for anything else."""
    return msgspec.json.decode(plain, type=Begun)


def _filled(parameters: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in parameters.items() if value}


def _refusal(error: str) -> tuple[str, str]:
    word = error if error.replace("_", "").isalpha() and len(error) <= 64 else "an error"
    if word == "access_denied":
        return "denied", "The identity provider did not let you in, or you did not agree there."
    return "refused", f"The identity provider answered {word}; an administrator of Archway can look at its settings."


def _equal(given: str, expected: str) -> bool:
    return hmac.compare_digest(given.encode(errors="surrogatepass"), expected.encode())
