"""A person's way to the provider of an upstream and back: what is asked for, and whether the answer is the one to it.

Called when somebody signs in behind an install link. `Begun` is kept by whoever calls, bound to the browser and the
person that began; used once. Pure. Leaves out the code's redemption: `token_request.py`.
"""

from collections.abc import Iterable, Mapping
from typing import Final

import msgspec

from control.credentials.upstream_oauth.authorization_server import AuthorizationServer
from control.credentials.upstream_oauth.challenge import MOST_SCOPES, Challenge
from control.credentials.upstream_oauth.client import UpstreamClient
from control.credentials.upstream_oauth.discovery import Discovered
from control.credentials.upstream_oauth.unfit import Unfit
from control.providers.browser_round import AGE_S, address_with, code_in, new_state, new_verifier
from control.registry.credential import OAuthCredential
from control.registry.oauth_scopes import OFFLINE
from control.registry.pkce import s256_challenge

_NEVER: Final = frozenset({"request", "request_uri", "response_mode", "nonce", "registration"})
"""Parameters that would say everything in another way, or send the answer another way; none of them is passed on."""


class Begun(msgspec.Struct, frozen=True, kw_only=True):
    """A sign-in at a provider that was begun and has not come back yet: what it is held to then."""

    state: str
    verifier: str
    """Proves to the provider that whoever brings the code is who asked for it (PKCE, RFC 7636)."""
    issuer: str
    """Who was asked. The answer must be theirs, and the code goes to no other."""
    names_issuer: bool
    token_endpoint: str
    """Where the code is redeemed; found when it began, so that a change of metadata in between leads it nowhere."""
    client_id: str
    redirect_uri: str
    resource: str
    scopes: tuple[str, ...]
    at: float

    def __repr__(self) -> str:
        return f"Begun({self.issuer!r})"


def wanted_scopes(
    discovered: Discovered,
    settings: OAuthCredential,
    challenge: Challenge | None = None,
    had: Iterable[str] = (),
) -> tuple[str, ...]:
    """What is asked for: the entry's scopes to the letter and nothing besides, whatever the server wants; else those
    that the server's challenge asks for, else those that it says it has, else none, which leaves it to the provider.
    `offline_access` comes with what was found where the provider lists it.

    `had`: what the account was granted so far, and what its server said that it needs besides. All is asked for
    together, so that it does not lose one for the other.
    """
    if settings.scopes:
        return tuple(dict.fromkeys(settings.scopes))[:MOST_SCOPES]
    challenged = challenge.scopes if challenge else ()
    found = challenged or discovered.scopes_supported or ()
    if found and OFFLINE in discovered.server.scopes_supported:
        found = (*found, OFFLINE)
    return tuple(dict.fromkeys((*had, *found)))[:MOST_SCOPES]


def begin(
    discovered: Discovered, client: UpstreamClient, redirect_uri: str, scopes: Iterable[str], now: float
) -> Begun:
    """Another sign-in, with secrets that nobody can guess. ValueError for a client of another issuer."""
    server = discovered.server
    if client.issuer != server.issuer:
        raise ValueError(f"{client!r} is no client of {server.issuer!r}")
    return Begun(
        state=new_state(),
        verifier=new_verifier(),
        issuer=server.issuer,
        names_issuer=server.names_issuer,
        token_endpoint=server.token_endpoint,
        client_id=client.client_id,
        redirect_uri=redirect_uri,
        resource=discovered.resource,
        scopes=tuple(scopes),
        at=now,
    )


def authorize_url(server: AuthorizationServer, begun: Begun, extra: Mapping[str, str]) -> str:
    """Where the browser is sent. `extra`: the entry's own parameters, over which ours stand: none of them can change
    who asks, for what, and where the answer goes. Raises Unfit for a server where nobody signs in.
    """
    if not server.authorization_endpoint:
        raise Unfit(f"{server.issuer} has no `authorization_endpoint`, where people sign in")
    parameters = {
        **{name: value for name, value in extra.items() if name not in _NEVER},
        "response_type": "code",
        "client_id": begun.client_id,
        "redirect_uri": begun.redirect_uri,
        "scope": " ".join(begun.scopes),
        "state": begun.state,
        "code_challenge": s256_challenge(begun.verifier),
        "code_challenge_method": "S256",
        "resource": begun.resource,
    }
    if OFFLINE in begun.scopes and "prompt" not in parameters:
        # OpenID Connect Core 11: without consent the provider ignores the wish for tokens that last.
        parameters["prompt"] = "consent"
    return address_with(server.authorization_endpoint, parameters)


def code_of(answer: Mapping[str, str], begun: Begun, now: float) -> str:
    """The code that came back; raises BadReturn where the answer is not the one to what was begun. What another
    server than the one that was asked says, its errors among it, is not looked at.
    """
    return code_in(
        answer,
        state=begun.state,
        issuer=begun.issuer,
        names_issuer=begun.names_issuer,
        late=not 0 <= now - begun.at <= AGE_S,
        whom="provider",
    )
