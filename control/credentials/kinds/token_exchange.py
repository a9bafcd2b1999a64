"""A token that the caller's identity provider exchanges for one of theirs (RFC 8693).

An installation brings nothing for it: which token is exchanged says `control/credentials/whose.py`. The token is got
and kept elsewhere (`control/exchanges/`); here is what an entry may say.
"""

from typing import Final

from msgspec.structs import replace

from control.credentials.kinds import endpoints
from control.credentials.kinds.for_one_caller import cure, headers, places, take
from control.registry.broken_rule import BrokenRule
from control.registry.credential import OMIT, CheckedCredential, TokenExchange
from control.registry.targets import header

__all__ = ["check", "cure", "headers", "places", "take"]

_FIELD: Final = "credential_placement"


def check(credential: TokenExchange) -> CheckedCredential:
    """With its address in its one form, or BrokenRule. Whether there is such a provider is not looked at."""
    if not (credential.audience or credential.resource != OMIT or credential.scopes):
        raise BrokenRule(f"{_FIELD}.audience", "is needed, or a resource, or scopes: what the token is to be for")
    endpoints.check_scopes(credential.scopes, f"{_FIELD}.scopes")
    endpoints.check_audience(credential.audience, f"{_FIELD}.audience")
    resource = endpoints.checked_resource(credential.resource, f"{_FIELD}.resource")
    return CheckedCredential(replace(credential, resource=resource), (header("authorization"),))
