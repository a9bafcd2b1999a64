"""What a provider says of itself (OpenID Connect Discovery): read from its issuer, and judged before it is believed.

Called by `key_sets.py`. The metadata may name any host for its endpoints: those that are not the issuer's own are
found here, and used by nobody before an admin has approved them. Leaves out when it is asked for, and what is kept.
"""

from collections.abc import Mapping
from typing import Any, Final

from control.providers.asking import Asker, ProviderAway
from control.providers.endpoints import EndpointUnfit, checked_endpoint
from control.registry.identity_provider import ENDPOINTS, Endpoints, IdentityProvider
from core.egress.addresses import AddressPolicy

WELL_KNOWN: Final = "/.well-known/openid-configuration"
_OF_SIGN_IN: Final = ("authorization_endpoint", "token_endpoint")
"""Endpoints that only a provider has where people sign in: those of CI systems have none, and of theirs nothing else
is needed than keys.
"""


class NotApproved(Exception):
    """Endpoints at hosts that are foreign to the issuer, and that nobody has approved; nothing is sent there."""

    def __init__(self, hosts: tuple[str, ...]) -> None:
        super().__init__(
            f"its endpoints are at {', '.join(hosts)}, which is not the issuer's host; if that is right, add it to "
            "`approved_hosts`"
        )
        self.hosts = hosts


async def discover(asker: Asker, issuer: str, *, signs_in: bool) -> Endpoints:
    """What the issuer says of itself; raises ProviderAway where it says nothing that can be believed, or not where
    people are to sign in.
    """
    found = await asker.get(issuer.removesuffix("/") + WELL_KNOWN)
    return endpoints_in(found, issuer, asker.policy, signs_in=signs_in)


def endpoints_in(found: Mapping[str, Any], issuer: str, policy: AddressPolicy, *, signs_in: bool = True) -> Endpoints:
    """The endpoints in an issuer's metadata, '' for one that it has not; raises ProviderAway for what must not be
    used.
    """
    if found.get("issuer") != issuer:  # section 4.3: exactly, byte for byte
        said = found.get("issuer")
        other = f": it says {said[:200]!r}" if isinstance(said, str) and said.isprintable() else ""
        raise ProviderAway(f"what is at the issuer's address is the metadata of another issuer{other}")
    needed = ("jwks_uri", *(_OF_SIGN_IN if signs_in else ()))
    urls = dict.fromkeys(_OF_SIGN_IN, "")
    urls |= {name: _checked(found, name, issuer, policy) for name in ENDPOINTS if found.get(name) or name in needed}
    methods = found.get("code_challenge_methods_supported")
    if isinstance(methods, list) and "S256" not in methods:
        raise ProviderAway("it does not take PKCE with S256, which each sign-in uses; allow it there")
    return Endpoints(**urls, names_issuer=found.get("authorization_response_iss_parameter_supported") is True)


def refuse_unapproved(provider: IdentityProvider, endpoints: Endpoints) -> None:
    """Raise NotApproved where an endpoint is at a host that is neither the issuer's nor approved."""
    if hosts := provider.unapproved_hosts(endpoints):
        raise NotApproved(hosts)


def _checked(found: Mapping[str, Any], name: str, issuer: str, policy: AddressPolicy) -> str:
    try:
        return checked_endpoint(found.get(name), name, issuer, policy)
    except EndpointUnfit as unfit:
        raise ProviderAway(str(unfit)) from None
