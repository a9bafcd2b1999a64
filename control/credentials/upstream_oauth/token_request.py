"""A token endpoint of an upstream's provider: tokens for a code, for a refresh token, or for the client itself.

Called when somebody comes back from signing in, by whoever keeps tokens fresh, and for client credentials. Whatever
happens is an outcome and no exception: `Granted`, `Refused`, or `Away` where nobody knows and it is asked again
later. Leaves out who keeps what, and when it is asked: a refused refresh token is forgotten by nobody here.
"""

import secrets
from collections.abc import Iterable, Mapping
from typing import Final
from urllib.parse import urlencode

from control.credentials.upstream_oauth.authorize import Begun
from control.credentials.upstream_oauth.client import TokenPlace
from control.credentials.upstream_oauth.token_answer import BEARER, Away, Granted, Outcome, Refused, outcome_of
from control.providers.asking import Answer, Asker, ProviderAway
from control.providers.client_secret import basic
from core.client_keys import KeyRefused

ASSERTION_TYPE: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

__all__ = ["Away", "Granted", "Outcome", "Refused", "client_credentials", "granted", "proven", "redeem", "refresh"]


async def redeem(asker: Asker, place: TokenPlace, begun: Begun, code: str, now: float) -> Outcome:
    """The tokens of a code that came back with the browser. ValueError where it is not the place that it began at."""
    if (place.endpoint, place.client.issuer) != (begun.token_endpoint, begun.issuer):
        raise ValueError("a code is redeemed where its sign-in began, and nowhere else")
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": begun.redirect_uri,
        "code_verifier": begun.verifier,
        "resource": begun.resource,
    }
    return await granted(asker, place, form, now)


async def refresh(asker: Asker, place: TokenPlace, refresh_token: str, resource: str, now: float) -> Outcome:
    """The next tokens, for what was granted before. `Granted.refresh_token` is '' where the one before stays good,
    `scopes` None where they stay as they were.
    """
    form = {"grant_type": "refresh_token", "refresh_token": refresh_token, "resource": resource}
    return await granted(asker, place, form, now)


async def client_credentials(
    asker: Asker, place: TokenPlace, resource: str, scopes: Iterable[str], now: float
) -> Outcome:
    """A token for the client itself (RFC 6749 section 4.4)."""
    form = {"grant_type": "client_credentials", "scope": " ".join(scopes), "resource": resource}
    return await granted(asker, place, form, now)


def proven(place: TokenPlace, form: Mapping[str, str], now: float) -> tuple[bytes, dict[str, str]]:
    """The body and the headers of a request in which the client proves itself; empty fields are left out. Raises
    KeyRefused where its key cannot sign as the server wants.
    """
    client = place.client
    fields = {name: value for name, value in form.items() if value}
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    match client.authentication:
        case "client_secret_basic":
            headers["Authorization"] = basic(client.client_id, client.client_secret)
            fields["client_id"] = client.client_id  # the Python SDK's servers look for it here too
        case "client_secret_post":
            fields |= {"client_id": client.client_id, "client_secret": client.client_secret}
        case "private_key_jwt":
            if place.key is None:
                raise KeyRefused("is not there")
            # For the issuer and not the endpoint: an endpoint may be named by somebody else's metadata.
            signed = place.key.assertion(
                client.client_id, client.issuer, secrets.token_urlsafe(24), now, place.algorithms
            )
            fields |= {
                "client_id": client.client_id,
                "client_assertion_type": ASSERTION_TYPE,
                "client_assertion": signed,
            }
        case "none":
            fields["client_id"] = client.client_id
    return urlencode(fields).encode(), headers


async def asked(asker: Asker, place: TokenPlace, form: Mapping[str, str], now: float) -> Answer | Refused | Away:
    """The answer to a request in which the client proves itself, or why there is none."""
    try:
        body, headers = proven(place, form, now)
        return await asker.ask("POST", place.endpoint, headers, body)
    except KeyRefused as refused:
        return Refused(error="client_key", sentence=f"the client's key {refused}")
    except ProviderAway as away:
        return Away(why=str(away), retry_after=away.retry_after)


async def granted(
    asker: Asker, place: TokenPlace, form: Mapping[str, str], now: float, kinds: frozenset[str] = BEARER
) -> Outcome:
    """What the answer to such a request comes to. `kinds`: types of tokens that can be used, in lower case."""
    answer = await asked(asker, place, form, now)
    return outcome_of(answer, place.endpoint, now, kinds) if isinstance(answer, Answer) else answer
