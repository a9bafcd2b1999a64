"""OAuth client credentials: a client of the installation gets tokens for itself, which its callers share.

An installation brings the client's identifier, as an answer named `client_id`, and its secret or private key as its
credential. The token is got, kept and made new elsewhere (`control/accounts/`); here is what an
entry may say, and what an installation must bring. Where the token goes is in `token_places.py`; the client's own
secret goes to no server.
"""

from collections.abc import Collection, Mapping
from typing import Final

from msgspec.structs import replace

from control.credentials.kinds import endpoints
from control.credentials.kinds.token_places import checked_place, token_headers
from control.registry.broken_rule import BrokenRule
from control.registry.credential import (
    CLIENT_ID,
    CREDENTIAL,
    CheckedCredential,
    ClientCredentials,
    Cure,
)
from core.egress.addresses import AddressPolicy

ASKS: Final = (CLIENT_ID,)
"""Plain answers that an installation brings for it."""
_FIELD: Final = "credential_placement"
_LONGEST: Final = 16 << 10
"""Characters of a secret, or of a private key as PEM."""
_CURE = Cure("Its entry asks for a client and its secret; give them.", "--credential")


def check(credential: ClientCredentials, policy: AddressPolicy) -> CheckedCredential:
    """With its addresses in their one form, or BrokenRule."""
    if credential.client_authentication == "none":
        raise BrokenRule(
            f"{_FIELD}.client_authentication",
            "must not be 'none': a client without a secret gets no token for itself",
        )
    if not (credential.issuer or credential.token_endpoint):
        raise BrokenRule(
            f"{_FIELD}.issuer", "or token_endpoint is needed: a client's secret is sent to that provider alone"
        )
    checked = replace(
        credential,
        token_endpoint=endpoints.checked(credential.token_endpoint, f"{_FIELD}.token_endpoint", policy),
        resource=endpoints.checked_resource(credential.resource, f"{_FIELD}.resource"),
        approved_hosts=endpoints.checked_origins(credential.approved_hosts, f"{_FIELD}.approved_hosts"),
    )
    endpoints.check_issuer(credential.issuer, f"{_FIELD}.issuer", policy)
    endpoints.check_scopes(credential.scopes, f"{_FIELD}.scopes")
    return CheckedCredential(checked, (checked_place(checked),), ASKS)


def take(_: ClientCredentials, given: str | None, earlier: Mapping[str, str], entry_name: str) -> dict[str, str]:
    """The client's secret or key, or the one given earlier; BrokenRule without any."""
    value = given if given is not None else earlier.get(CREDENTIAL)
    if not value:
        raise BrokenRule("credential", f"is needed: {entry_name} takes the secret or the private key of a client")
    if len(value) > _LONGEST:
        raise BrokenRule("credential", f"must have at most {_LONGEST} characters")
    return {CREDENTIAL: value}


def headers(credential: ClientCredentials, secrets: Mapping[str, str]) -> list[tuple[str, str]]:
    """The one header that carries the access token, where no program gets it at its start; the client's secret is in
    none.
    """
    return token_headers(credential, secrets)


def places(credential: ClientCredentials) -> dict[str, str]:
    """The provider that the client proves itself to, and how: a key that only signs must not be sent as a secret."""
    how = credential.client_authentication or "client_secret_basic"
    where = " ".join(one for one in (credential.issuer, credential.token_endpoint) if one)
    return {CREDENTIAL: f"{how} at {where}"}


def cure(_: ClientCredentials, held: Collection[str]) -> Cure | None:
    """To give the client's secret, where it is not among the secrets of these names."""
    return None if CREDENTIAL in held else _CURE
