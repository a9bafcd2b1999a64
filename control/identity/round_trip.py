"""The way to a provider and back: the address that a browser is sent to, and what must come back with it. Pure.

Called by `control/sign_in/oidc.py`. What was begun is kept in a sealed cookie of that very browser, so that strangers
who begin and never end cost no row; what came back once is remembered, so that it cannot come back twice.
"""

from collections.abc import Mapping
from hashlib import sha256
from typing import Final

import msgspec

from control.providers.browser_round import AGE_S, address_with, code_in, new_state, new_verifier
from control.registry.identity_provider import Endpoints, IdentityProvider
from control.registry.oauth_scopes import OFFLINE
from control.registry.pkce import s256_challenge

COOKIE_PREFIX: Final = "archway-oidc-"
"""What the names of the cookies of all sign-ins begin with that are under way in a browser."""


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


def begin(provider_id: str, return_to: str, now: float) -> Begun:
    """Another sign-in, with secrets that nobody can guess."""
    return Begun(provider_id, new_state(), new_state(), new_verifier(), return_to, now)


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
    if OFFLINE in provider.scopes and "prompt" not in parameters:
        # OpenID Connect Core 11: without consent the provider ignores the wish for tokens that last.
        parameters["prompt"] = "consent"
    return address_with(endpoints.authorization_endpoint, parameters)


def code_of(
    answer: Mapping[str, str], provider: IdentityProvider, endpoints: Endpoints, begun: Begun, now: float
) -> str:
    """The code that came back; raises BadReturn where the answer is not the one to what was begun."""
    # A provider has no empty state: with one, what was begun at another provider matches nothing.
    state = begun.state if begun.provider_id == provider.id else ""
    late = not 0 <= now - begun.at <= AGE_S
    return code_in(
        answer,
        state=state,
        issuer=provider.issuer,
        names_issuer=endpoints.names_issuer,
        late=late,
        whom="identity provider",
    )


def cookie_word(state: str) -> str:
    """The name of the cookie of one sign-in: several may be under way, one in each tab."""
    return COOKIE_PREFIX + sha256(state.encode(errors="surrogatepass")).hexdigest()[:16]


def pack_begun(begun: Begun) -> bytes:
    """What was begun, as it is sealed into the cookie of the browser that began it."""
    return msgspec.json.encode(begun)


def unpack_begun(plain: bytes) -> Begun:
    """What `pack_begun` made; raises `msgspec.MsgspecError` for anything else."""
    return msgspec.json.decode(plain, type=Begun)
