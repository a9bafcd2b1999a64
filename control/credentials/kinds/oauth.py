"""OAuth per person: each installation gets its tokens when its owner signs in at the provider.

What a request carries is the access token of the installation's account. The account itself is found, refreshed and
judged elsewhere (`control/accounts/`, `control/credentials/usable.py`); here is what an entry may say. Where
its token goes is in `token_places.py`.
"""

import re
from collections.abc import Collection, Mapping
from typing import Final

from msgspec.structs import replace

from control.credentials.kinds import endpoints
from control.credentials.kinds.token_places import checked_place, token_headers
from control.registry.broken_rule import BrokenRule
from control.registry.credential import ENDPOINTS, CheckedCredential, Cure, OAuthCredential
from core.egress.addresses import AddressPolicy

_FIELD: Final = "credential_placement"
_ADDRESSES: Final = (*ENDPOINTS, "account_endpoint")
_PARAMETER = re.compile(r"[A-Za-z0-9_.-]{1,64}")
_OURS: Final = frozenset(
    {
        "response_type", "client_id", "redirect_uri", "state", "code_challenge", "code_challenge_method", "scope",
        "resource", "nonce", "request", "request_uri", "response_mode",
    }
)  # fmt: skip
"""Parameters of the authorize request that Archway fills itself."""


def check(credential: OAuthCredential, policy: AddressPolicy) -> CheckedCredential:
    """With its addresses in their one form, or BrokenRule that names what does not fit together."""
    checked = replace(
        credential,
        **{name: endpoints.checked(getattr(credential, name), f"{_FIELD}.{name}", policy) for name in _ADDRESSES},
        resource=endpoints.checked_resource(credential.resource, f"{_FIELD}.resource"),
        approved_hosts=endpoints.checked_origins(credential.approved_hosts, f"{_FIELD}.approved_hosts"),
    )
    endpoints.check_issuer(credential.issuer, f"{_FIELD}.issuer", policy)
    endpoints.check_scopes(credential.scopes, f"{_FIELD}.scopes")
    _check_client(checked)
    _check_parameters(checked)
    if bool(checked.account_endpoint) != bool(checked.account_claim):
        raise BrokenRule(f"{_FIELD}.account_claim", "goes together with account_endpoint; give both or none")
    return CheckedCredential(checked, (checked_place(checked),))


def take(_: OAuthCredential, given: str | None, _earlier: Mapping[str, str], entry_name: str) -> dict[str, str]:
    """No secrets; BrokenRule for a credential that is given all the same: people sign in instead."""
    if given is not None:
        raise BrokenRule(
            "credential", f"is not accepted by {entry_name}: sign in at its provider in a browser; leave it out"
        )
    return {}


def headers(credential: OAuthCredential, secrets: Mapping[str, str]) -> list[tuple[str, str]]:
    """The one header that carries the access token; none where a program gets it at its start."""
    return token_headers(credential, secrets)


def places(_: OAuthCredential) -> dict[str, str]:
    """No places ({}): an installation holds no secret of its own, and accounts know where they may go themselves."""
    return {}


def cure(_: OAuthCredential, _held: Collection[str]) -> Cure | None:
    """None: no secret of the installation's row can be missing. Whether it has an account is judged elsewhere."""
    return None


def _check_client(credential: OAuthCredential) -> None:
    if credential.registration == "own" and not credential.client_id:
        raise BrokenRule(
            f"{_FIELD}.client_id", "is needed with the registration 'own'; register Archway at the provider first"
        )
    if credential.client_id and credential.registration not in {"own", "auto"}:
        raise BrokenRule(
            f"{_FIELD}.registration", "must be 'own' or 'auto' with a client_id; leave the client_id out otherwise"
        )
    if credential.client_authentication == "private_key_jwt":
        raise BrokenRule(
            f"{_FIELD}.client_authentication",
            "'private_key_jwt' is for client credentials; choose client_secret_basic, client_secret_post or none",
        )
    if credential.client_id and not (credential.issuer or credential.token_endpoint):
        raise BrokenRule(
            f"{_FIELD}.issuer",
            "is needed with a client of your own (or a token_endpoint): its secret is sent to that provider alone",
        )


def _check_parameters(credential: OAuthCredential) -> None:
    for name, value in credential.authorize_parameters.items():
        where = f"{_FIELD}.authorize_parameters"
        if _PARAMETER.fullmatch(name) is None:
            raise BrokenRule(where, "has a name that is none of a URL parameter; use letters, digits, '_', '-', '.'")
        if name in _OURS:
            raise BrokenRule(where, f"must not have {name!r}, which Archway fills itself; take it out")
        if len(value) > 512 or not value.isprintable():
            raise BrokenRule(where, f"the value of {name!r} must be one line of at most 512 characters")
