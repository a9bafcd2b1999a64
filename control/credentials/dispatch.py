"""From a credential to the file of its kind. The kinds are listed here and in `control/registry/credential.py`.

Called when an entry is saved, when it is installed, when an installation is resolved and when a refusal names its
cure. The type checker refuses a kind that is missing here.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import assert_never

from control.credentials.kinds import client_credentials, id_jag, none, oauth, passthrough, static, token_exchange
from control.credentials.kinds.token_places import token_at_start
from control.registry.credential import (
    CheckedCredential,
    ClientCredentials,
    Credential,
    Cure,
    IdentityAssertion,
    NoCredential,
    OAuthCredential,
    Passthrough,
    StaticCredential,
    TokenExchange,
    WithAccount,
)
from control.registry.targets import Target
from core.egress.addresses import AddressPolicy


def check(credential: Credential, policy: AddressPolicy, own_urls: Sequence[str] = ()) -> CheckedCredential:
    """The credential as an entry may be saved with it, or BrokenRule. `own_urls`: where Archway itself is reached."""
    match credential:
        case NoCredential():
            return none.check(credential)
        case StaticCredential():
            return static.check(credential)
        case OAuthCredential():
            return oauth.check(credential, policy)
        case ClientCredentials():
            return client_credentials.check(credential, policy)
        case TokenExchange():
            return token_exchange.check(credential)
        case IdentityAssertion():
            return id_jag.check(credential, policy)
        case Passthrough():
            return passthrough.check(credential, own_urls)
    assert_never(credential)


def take(credential: Credential, given: str | None, earlier: Mapping[str, str], entry_name: str) -> dict[str, str]:
    """The secrets that an installation keeps for it, by name; BrokenRule for what is missing or not taken.

    `earlier`: what the installation has already, given for the same server.
    """
    match credential:
        case NoCredential():
            return none.take(credential, given, earlier, entry_name)
        case StaticCredential():
            return static.take(credential, given, earlier, entry_name)
        case OAuthCredential():
            return oauth.take(credential, given, earlier, entry_name)
        case ClientCredentials():
            return client_credentials.take(credential, given, earlier, entry_name)
        case TokenExchange():
            return token_exchange.take(credential, given, earlier, entry_name)
        case IdentityAssertion():
            return id_jag.take(credential, given, earlier, entry_name)
        case Passthrough():
            return passthrough.take(credential, given, earlier, entry_name)
    assert_never(credential)


def asks(credential: Credential) -> tuple[str, ...]:
    """Names of the plain answers that an installation brings for it, beside those to the entry's fields."""
    return client_credentials.ASKS if isinstance(credential, ClientCredentials) else ()


def headers(credential: Credential, secrets: Mapping[str, str]) -> list[tuple[str, str]]:
    """The headers that carry it, names in lower case. Nothing may be missing: ask `cure` first.

    A kind with an account finds the provider's token under `ACCESS_TOKEN`.
    """
    match credential:
        case NoCredential():
            return none.headers(credential, secrets)
        case StaticCredential():
            return static.headers(credential, secrets)
        case OAuthCredential():
            return oauth.headers(credential, secrets)
        case ClientCredentials():
            return client_credentials.headers(credential, secrets)
        case TokenExchange():
            return token_exchange.headers(credential, secrets)
        case IdentityAssertion():
            return id_jag.headers(credential, secrets)
        case Passthrough():
            return passthrough.headers(credential, secrets)
    assert_never(credential)


def at_start(credential: Credential, secrets: Mapping[str, str]) -> list[tuple[Target, str]]:
    """The variables or files that carry it, of a server that we run; for all other kinds and ways nothing. Nothing
    may be missing: ask `cure` first.
    """
    if isinstance(credential, WithAccount):
        return token_at_start(credential, secrets)
    return static.at_start(credential, secrets) if isinstance(credential, StaticCredential) else []


def places(credential: Credential) -> dict[str, str]:
    """Where each of its secrets goes, by the secret's name, in words that differ wherever what is sent differs.

    An installation keeps them, and a secret goes to no other place than it was given for (`places.py`).
    """
    match credential:
        case NoCredential():
            return none.places(credential)
        case StaticCredential():
            return static.places(credential)
        case OAuthCredential():
            return oauth.places(credential)
        case ClientCredentials():
            return client_credentials.places(credential)
        case TokenExchange():
            return token_exchange.places(credential)
        case IdentityAssertion():
            return id_jag.places(credential)
        case Passthrough():
            return passthrough.places(credential)
    assert_never(credential)


def cure(credential: Credential, held: Collection[str]) -> Cure | None:
    """What a person can do where something is missing among the secrets of these names; None where nothing is."""
    match credential:
        case NoCredential():
            return none.cure(credential, held)
        case StaticCredential():
            return static.cure(credential, held)
        case OAuthCredential():
            return oauth.cure(credential, held)
        case ClientCredentials():
            return client_credentials.cure(credential, held)
        case TokenExchange():
            return token_exchange.cure(credential, held)
        case IdentityAssertion():
            return id_jag.cure(credential, held)
        case Passthrough():
            return passthrough.cure(credential, held)
    assert_never(credential)
