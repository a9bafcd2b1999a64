"""An identity provider as the registry keeps it: where it is, what is taken from it, and how much it may give.

Made by `control/store/` of rows, and by nobody else. A field of `ProviderFields` is a column of the same name and a
field of the admin API. Rules for what can be saved are in `provider_rules.py`; leaves out what its tokens say, which
`control/identity/` reads.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, Final, Literal
from urllib.parse import urlsplit

import msgspec

from control.registry.actions import Role
from control.registry.told import as_plain
from core.jwk import Algorithm
from core.key_sets import PublicKey

ClientAuthentication = Literal["client_secret_basic", "client_secret_post", "none"]
"""How Archway shows the provider's token endpoint that it is the registered client."""
ENDPOINTS = ("authorization_endpoint", "token_endpoint", "jwks_uri", "userinfo_endpoint")
"""Members of a provider's metadata that name an address which Archway, or a person's browser, goes to."""


class TeamRule(msgspec.Struct, frozen=True):
    """Whoever has this value in the claim of teams is in this team, with this role there."""

    value: str
    team_id: str
    role: Role = "member"


class RoleRule(msgspec.Struct, frozen=True):
    """Whoever has this value in the claim of roles has this role in the organisation."""

    value: str
    role: Role


class ServiceRule(msgspec.Struct, frozen=True):
    """Whoever has all these claims is a job that calls as this service account."""

    oauth_client_id: str
    """The row of an OAuth client that acts by itself."""
    claims: dict[str, str]
    """Claim to its value, whole, or its beginning before a `*` at the end. Never empty."""


class Exchange(msgspec.Struct, frozen=True):
    """How the provider exchanges a token for another (RFC 8693); the entry says for what."""

    enabled: bool = False
    style: Literal["token_exchange", "on_behalf_of"] = "token_exchange"  # a way of asking
    """How it is asked: by RFC 8693, or as Microsoft Entra wants it, with the token as an assertion (RFC 7523)."""
    token_endpoint: str = ""
    """'' for that of its metadata."""
    client_id: str = ""
    """'' for the client that people sign in with."""
    client_authentication: ClientAuthentication = "client_secret_basic"
    subject_token: Literal["access_token", "id_token"] = "access_token"  # noqa: S105  # a kind of token
    """Which of what it gave at a sign-in it takes."""
    sends_scope: bool = True
    """Some providers refuse a scope here."""
    parameters: dict[str, str] = {}
    """More parameters of the request."""


NO_EXCHANGE: Final = Exchange()
_SECRETS: Final = ("client_secret", "exchange_client_secret")
"""Sealed columns of the row: it is told that there is one, and no more."""


class Endpoints(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a provider says of itself (OpenID Connect Discovery), as far as it is used here.

    Each address was checked before it is kept; those of a sign-in may be '', where nobody signs in with it.
    """

    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    userinfo_endpoint: str = ""
    names_issuer: bool = False
    """Whether its answers to the browser say who it is (RFC 9207); then one that does not is refused."""

    def hosts(self) -> dict[str, str]:
        """The origin of each endpoint, by the endpoint's name."""
        return {name: origin_of(url) for name in ENDPOINTS if (url := getattr(self, name))}


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderFields:
    """The fields of an identity provider that a person sets."""

    slug: str
    """Its name in the address of the sign-in."""
    name: str
    issuer: str
    """Exactly as its tokens name it."""
    enabled: bool
    sign_in: bool
    """Whether people sign in with it; else only its tokens are taken, by gateways that name it."""
    client_id: str
    client_authentication: ClientAuthentication
    scopes: tuple[str, ...]
    authorize_parameters: dict[str, str]
    """More parameters of the address that people are sent to, such as Google's `access_type`."""
    audiences: tuple[str, ...]
    """What tokens may be for that gateways take; each gateway names one."""
    algorithms: tuple[Algorithm, ...]
    email_claim: str
    name_claim: str
    teams_claim: str
    roles_claim: str
    assume_email_verified: bool
    """For providers that never say `email_verified`, and let nobody choose their own address."""
    allowed_domains: tuple[str, ...]
    """Domains of addresses by which people are found or made; lower case."""
    match_email: bool
    create_people: bool
    highest_role: Role
    """Nobody gets more than this by it."""
    team_rules: tuple[TeamRule, ...]
    role_rules: tuple[RoleRule, ...]
    approved_hosts: tuple[str, ...]
    """Origins of endpoints that are not the issuer's own, which an admin has looked at."""
    exchange: Exchange = NO_EXCHANGE
    admits_external: bool = False
    """Whether whoever it knows and who has no account here may call, as nobody's user (`external_principal.py`)."""
    service_rules: tuple[ServiceRule, ...] = ()
    """Jobs that call as service accounts; the first that fits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentityProvider(ProviderFields):
    """An identity provider that exists, with its sealed secret."""

    id: str
    client_secret: bytes | None
    exchange_client_secret: bytes | None = None
    """Of the client that exchanges, sealed; None where it is the client that people sign in with, or has none."""
    created_at: datetime
    updated_at: datetime
    version: int

    @property
    def exchanges_tokens(self) -> bool:
        """Whether tokens can be had of it in exchange now: it is switched on, and so is its exchange."""
        return self.enabled and self.exchange.enabled

    def foreign_hosts(self, endpoints: Endpoints) -> tuple[str, ...]:
        """Origins of its endpoints that are not the issuer's own, approved or not."""
        own = origin_of(self.issuer)
        return tuple(sorted({origin for origin in endpoints.hosts().values() if origin != own}))

    def unapproved_hosts(self, endpoints: Endpoints) -> tuple[str, ...]:
        """Those that nobody has approved: nothing is sent there."""
        return tuple(origin for origin in self.foreign_hosts(endpoints) if origin not in self.approved_hosts)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderState:
    """What was last seen of a provider. Kept while it is away."""

    provider_id: str
    endpoints: Endpoints | None = None
    discovered_at: datetime | None = None
    keys: tuple[PublicKey, ...] = ()
    skipped: tuple[str, ...] = ()
    """Why some of the keys that it publishes are left out."""
    revision: int = 0
    fetched_at: datetime | None = None
    """When it last said that these are its keys."""
    tried_at: datetime | None = None
    fault: str = ""
    """Why it could not be asked the last time; '' if it could."""


def told_of_provider(provider: IdentityProvider) -> dict[str, Any]:
    """All that people are told of a provider, in the words of the admin API: of its secret, that there is one."""
    told: dict[str, Any] = {
        one.name: as_plain(getattr(provider, one.name)) for one in fields(provider) if one.name not in _SECRETS
    }
    return told | {f"has_{name}": getattr(provider, name) is not None for name in _SECRETS}


def origin_of(url: str) -> str:
    """`https://host` or `https://host:port` of a checked address, in lower case."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}".lower()


def endpoints_told(endpoints: Endpoints | None) -> Mapping[str, str]:
    """The addresses by their names, for people."""
    if endpoints is None:
        return {}
    return {name: url for name in ENDPOINTS if (url := getattr(endpoints, name))}
