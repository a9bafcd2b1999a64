"""The first leg: an identity provider gives a token, or an assertion, in exchange for one that it gave (RFC 8693).

Called by `one_exchange.py`. What is sent is a function of values; it goes to the provider's own token endpoint, or to
one that an admin gave it, and nowhere else. Providers differ in what they call the question, and in which of its
parameters they take: those are settings (`Exchange`).
"""

import logging
from typing import Final

from control.credentials.upstream_oauth.client import TokenPlace, UpstreamClient, method_named
from control.credentials.upstream_oauth.token_answer import Away, Refused
from control.exchanges.subject import Subject
from control.identity.discovery import NotApproved
from control.identity.key_sets import KeySets
from control.providers.asking import ProviderAway
from control.registry.credential import IdentityAssertion, TokenExchange
from control.registry.exchange_rules import exchange_place
from control.registry.identity_provider import IdentityProvider
from control.registry.row_seals import RowSeals
from core.sealing import SealBroken

log = logging.getLogger(__name__)

_TYPE: Final = "urn:ietf:params:oauth:token-type:"
EXCHANGE: Final = "urn:ietf:params:oauth:grant-type:token-exchange"
JWT_BEARER: Final = "urn:ietf:params:oauth:grant-type:jwt-bearer"
"""The grant types of the two questions (RFC 8693 section 2.1, RFC 7523 section 2.1)."""
EXCHANGED: Final = frozenset({"bearer", "n_a"})
"""Types of what it gives, in lower case: an assertion is no access token, and is called N_A (section 2.2.1)."""
ID_JAG: Final = f"{_TYPE}id-jag"


def exchange_form(
    provider: IdentityProvider, credential: TokenExchange | IdentityAssertion, resource: str, subject: Subject
) -> dict[str, str]:
    """What the provider is asked. Fields that are '' are not sent. `resource`: what the token is for (RFC 8707)."""
    exchange = provider.exchange
    asserts = isinstance(credential, IdentityAssertion)
    wanted = {
        "audience": credential.issuer if isinstance(credential, IdentityAssertion) else credential.audience,
        "resource": resource,
        "scope": " ".join(credential.scopes) if exchange.sends_scope else "",
    }
    if exchange.style == "on_behalf_of":
        asked = {"grant_type": JWT_BEARER, "assertion": subject.token, "requested_token_use": "on_behalf_of"}
    else:
        asked = {
            "grant_type": EXCHANGE,
            "subject_token": subject.token,
            "subject_token_type": _TYPE + subject.kind,
            "requested_token_type": ID_JAG if asserts else f"{_TYPE}access_token",
        }
    return {**exchange.parameters, **wanted, **asked}


async def place_at_provider(
    provider: IdentityProvider, seals: RowSeals, key_sets: KeySets
) -> TokenPlace | Refused | Away:
    """Where the provider exchanges, and as which client we ask there; or why it is not asked. StoreUnavailable."""
    try:
        endpoint = provider.exchange.token_endpoint or (await key_sets.endpoints(provider)).token_endpoint
        return TokenPlace(endpoint=endpoint, client=_client(provider, seals))
    except ProviderAway as away:
        return Away(why=str(away), retry_after=away.retry_after)
    except NotApproved as unfit:
        return Refused(error="unfit", sentence=str(unfit))
    except SealBroken:
        log.exception("a client's secret cannot be opened", extra={"provider": provider.slug})
        return Refused(error="unfit", sentence="the secret of its client cannot be read any more; give it again")


def _client(provider: IdentityProvider, seals: RowSeals) -> UpstreamClient:
    """The client that we are there: one of its own, or the one that people sign in with. Raises SealBroken."""
    exchange = provider.exchange
    if exchange.client_id:
        place = exchange_place(provider)
        secret = seals.open_exchange_client_secret(provider.id, place, provider.exchange_client_secret)
        client_id, method = exchange.client_id, exchange.client_authentication
    else:
        secret = seals.open_client_secret(provider.id, provider.client_secret)
        client_id, method = provider.client_id, provider.client_authentication
    return UpstreamClient(
        issuer=provider.issuer, client_id=client_id, client_secret=secret, authentication=method_named(method)
    )
