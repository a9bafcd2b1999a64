"""A token that the server's own authorization server gives for an assertion of the caller's provider (ID-JAG).

An installation brings nothing for it: whose word it is says `control/credentials/whose.py`. The token is got and kept
elsewhere (`control/exchanges/`); here is what an entry may say.
"""

from typing import Final

from msgspec.structs import replace

from control.credentials.kinds import endpoints
from control.credentials.kinds.for_one_caller import cure, headers, places, take
from control.registry.broken_rule import BrokenRule
from control.registry.credential import CheckedCredential, IdentityAssertion
from control.registry.targets import header
from core.egress.addresses import AddressPolicy

__all__ = ["check", "cure", "headers", "places", "take"]

_FIELD: Final = "credential_placement"


def check(credential: IdentityAssertion, policy: AddressPolicy) -> CheckedCredential:
    """With its addresses in their one form, or BrokenRule. Whether there is such a provider is not looked at."""
    for name in ("issuer", "client_id"):
        if not getattr(credential, name):
            why = "is needed: an assertion is for one authorization server and one client there"
            raise BrokenRule(f"{_FIELD}.{name}", why)
    if bool(credential.server_scopes) != (credential.scopes_at_server == "named"):
        raise BrokenRule(f"{_FIELD}.server_scopes", "goes together with scopes_at_server 'named'; give both or none")
    endpoints.check_issuer(credential.issuer, f"{_FIELD}.issuer", policy)
    endpoints.check_scopes(credential.scopes, f"{_FIELD}.scopes")
    endpoints.check_scopes(credential.server_scopes, f"{_FIELD}.server_scopes")
    checked = replace(
        credential,
        token_endpoint=endpoints.checked(credential.token_endpoint, f"{_FIELD}.token_endpoint", policy),
        resource=endpoints.checked_resource(credential.resource, f"{_FIELD}.resource"),
        approved_hosts=endpoints.checked_origins(credential.approved_hosts, f"{_FIELD}.approved_hosts"),
    )
    return CheckedCredential(checked, (header("authorization"),))
