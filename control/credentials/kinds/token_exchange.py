"""A token that the caller's identity provider exchanges for one of theirs (RFC 8693).

An installation brings nothing for it: which token is exchanged says `control/credentials/whose.py`. The token is got
and kept elsewhere (`control/exchanges/`); here is what an entry may say, and the one header.
"""

from collections.abc import Collection, Mapping
from typing import Final

from msgspec.structs import replace

from control.credentials.kinds import endpoints
from control.registry.broken_rule import BrokenRule
from control.registry.credential import ACCESS_TOKEN, OMIT, CheckedCredential, Cure, TokenExchange
from control.registry.targets import header

_FIELD: Final = "credential_placement"


def check(credential: TokenExchange) -> CheckedCredential:
    """With its address in its one form, or BrokenRule. Whether there is such a provider is not looked at."""
    if not (credential.audience or credential.resource != OMIT or credential.scopes):
        raise BrokenRule(f"{_FIELD}.audience", "is needed, or a resource, or scopes: what the token is to be for")
    endpoints.check_scopes(credential.scopes, f"{_FIELD}.scopes")
    endpoints.check_audience(credential.audience, f"{_FIELD}.audience")
    resource = endpoints.checked_resource(credential.resource, f"{_FIELD}.resource")
    return CheckedCredential(replace(credential, resource=resource), (header("authorization"),))


def take(_: TokenExchange, given: str | None, _earlier: Mapping[str, str], entry_name: str) -> dict[str, str]:
    """No secrets; BrokenRule for a credential that is given all the same: it would never be sent."""
    if given is not None:
        raise BrokenRule("credential", f"is not accepted by {entry_name}: it gets what is the caller's; leave it out")
    return {}


def headers(_: TokenExchange, secrets: Mapping[str, str]) -> list[tuple[str, str]]:
    """The one header that carries the caller's token; none where nobody calls."""
    return [("authorization", f"Bearer {secrets[ACCESS_TOKEN]}")] if ACCESS_TOKEN in secrets else []


def places(_: TokenExchange) -> dict[str, str]:
    """No places ({}): an installation holds no secret of it."""
    return {}


def cure(_: TokenExchange, _held: Collection[str]) -> Cure | None:
    """No cure (None): nothing of the installation can be missing."""
    return None
