"""What an entry says of its credential: one of the kinds below, with the settings of that kind.

Kept by an entry as one JSON object, `{"kind": "static", "style": "bearer"}`; the admin API tells the kind and the
settings apart. What a kind does is in `control/credentials/kinds/`, one file each. Leaves out the secrets: those are
an installation's.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal, get_args

import msgspec

from control.registry.broken_rule import BrokenRule
from control.registry.credential_settings import (
    File,
    Hosts,
    Issuer,
    Resource,
    Scopes,
    TokenEndpoint,
    Url,
    Variable,
)
from control.registry.targets import Target

CREDENTIAL: Final = "credential"
"""The name under which the primary credential stands among an installation's secret values."""

ACCESS_TOKEN: Final = "access_token"  # noqa: S105  # the name of a token
"""The name under which a provider's token stands where headers are made; in no row."""

CLIENT_ID: Final = "client_id"
"""The name under which a client of the installation stands among its plain answers."""

Style = Literal["bearer", "authorization", "header", "variable", "file"]
Registration = Literal["auto", "own", "document", "dynamic"]
ClientAuthentication = Literal["", "client_secret_basic", "client_secret_post", "private_key_jwt", "none"]
ENDPOINTS: Final = ("authorization_endpoint", "token_endpoint", "registration_endpoint", "revocation_endpoint")
"""Addresses of a provider that its metadata names and an entry may name instead: settings of one name."""
OMIT: Final = "omit"
"""As `resource`: that it is not sent."""


class _Kind(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="kind"):
    """What all kinds of credentials have in common: how they are written."""


class NoCredential(_Kind, frozen=True, tag="none"):
    """No credential: the server asks for none."""


class StaticCredential(_Kind, frozen=True, tag="static"):
    """A key or token that each installation brings: sent in one header of every request, or given to a server that
    Archway runs when it starts.
    """

    style: Annotated[
        Style,
        msgspec.Meta(
            description="`bearer`: `Authorization: Bearer <value>`; `authorization`: the value alone; "
            "`header`: your own. For a server that Archway runs also `variable` or `file`: given once, at its start."
        ),
    ]
    header: Annotated[
        str, msgspec.Meta(max_length=64, description="With the style `header`: its name, such as `x-api-key`.")
    ] = ""
    variable: Annotated[
        str, msgspec.Meta(max_length=64, description="With the style `variable`: its name, such as `API_KEY`.")
    ] = ""
    file: Annotated[
        str, msgspec.Meta(max_length=64, description="With the style `file`: its name in `/run/secrets/mcp`.")
    ] = ""


class OAuthCredential(_Kind, frozen=True, tag="oauth"):
    """A token of the caller's own account: each person signs in at the server's provider in a browser."""

    registration: Annotated[
        Registration,
        msgspec.Meta(
            description="How the provider knows Archway: `own` (a client that was registered there by hand), "
            "`document` (by the URL of a document that Archway serves), `dynamic` (Archway registers itself), or "
            "`auto`: the first of these that goes."
        ),
    ] = "auto"
    client_id: Annotated[
        str, msgspec.Meta(max_length=1_024, description="Of a client that was registered at the provider by hand.")
    ] = ""
    client_authentication: Annotated[
        ClientAuthentication, msgspec.Meta(description="How that client proves itself; empty: as the provider says.")
    ] = ""
    issuer: Issuer = ""
    authorization_endpoint: Annotated[
        Url, msgspec.Meta(description="Where people sign in; empty: as the provider's metadata says.")
    ] = ""
    token_endpoint: TokenEndpoint = ""
    registration_endpoint: Annotated[
        Url, msgspec.Meta(description="Where clients register; empty: as the provider's metadata says.")
    ] = ""
    revocation_endpoint: Annotated[
        Url, msgspec.Meta(description="Where tokens are revoked; empty: as the provider's metadata says.")
    ] = ""
    scopes: Scopes = ()
    resource: Resource = ""
    authorize_parameters: Annotated[
        dict[str, str],
        msgspec.Meta(
            max_length=20,
            description="Sent with people to the provider besides, such as `access_type=offline` for Google.",
        ),
    ] = {}
    approved_hosts: Hosts = ()
    account_endpoint: Annotated[
        Url,
        msgspec.Meta(
            description="Where the account's name is asked with its token, for providers that tell it in no other "
            "way, such as `https://api.github.com/user`."
        ),
    ] = ""
    account_claim: Annotated[
        str, msgspec.Meta(max_length=64, description="What of that answer is the name, such as `login`.")
    ] = ""
    variable: Variable = ""
    file: File = ""


class ClientCredentials(_Kind, frozen=True, tag="client_credentials"):
    """A token that a client of the installation gets for itself (OAuth client credentials), shared by all callers."""

    issuer: Issuer = ""
    token_endpoint: TokenEndpoint = ""
    client_authentication: Annotated[
        ClientAuthentication,
        msgspec.Meta(description="How the client proves itself; empty: `client_secret_basic`."),
    ] = ""
    scopes: Scopes = ()
    resource: Resource = ""
    approved_hosts: Hosts = ()
    variable: Variable = ""
    file: File = ""


_Provider = Annotated[
    str, msgspec.Meta(max_length=36, description="The identity provider that exchanges tokens: its identifier.")
]


_ExactScopes = Annotated[tuple[str, ...], msgspec.Meta(max_length=100, description="What is asked for; empty: none.")]


class TokenExchange(_Kind, frozen=True, tag="token_exchange"):
    """A token for the caller, for which their identity provider takes what it gave them (RFC 8693)."""

    identity_provider_id: _Provider
    audience: Annotated[
        str, msgspec.Meta(max_length=2_048, description="What the token is for, as the provider calls the server.")
    ] = ""
    resource: Resource = OMIT
    scopes: _ExactScopes = ()


class IdentityAssertion(_Kind, frozen=True, tag="id_jag"):
    """A token for the caller from the server's own authorization server, which takes the word of the caller's
    identity provider for who they are (Identity Assertion JWT Authorization Grant).
    """

    identity_provider_id: _Provider
    issuer: Annotated[
        str, msgspec.Meta(max_length=2_048, description="The server's authorization server: the assertion is for it.")
    ]
    client_id: Annotated[str, msgspec.Meta(max_length=1_024, description="Of Archway at that authorization server.")]
    token_endpoint: TokenEndpoint = ""
    client_authentication: Annotated[
        ClientAuthentication, msgspec.Meta(description="How that client proves itself; empty: as its metadata says.")
    ] = ""
    resource: Resource = ""
    scopes: _ExactScopes = ()
    scopes_at_server: Annotated[
        Literal["same", "omit", "named"],
        msgspec.Meta(
            description="Which scopes the second request names: the `same`, none (`omit`), or `server_scopes`."
        ),
    ] = "same"
    server_scopes: _ExactScopes = ()
    approved_hosts: Hosts = ()


class Passthrough(_Kind, frozen=True, tag="passthrough"):
    """The caller's own token of their identity provider, sent on as it is: for servers that check it themselves."""

    audiences: Annotated[
        tuple[str, ...],
        msgspec.Meta(
            min_length=1, max_length=20, description="What a token must be for to be sent on: one of these, exactly."
        ),
    ]


Credential = (
    NoCredential
    | StaticCredential
    | OAuthCredential
    | ClientCredentials
    | TokenExchange
    | IdentityAssertion
    | Passthrough
)
ForOneCaller = TokenExchange | IdentityAssertion | Passthrough
"""Kinds that are another for each caller: an installation holds nothing of them (`control/credentials/whose.py`)."""
WithAccount = OAuthCredential | ClientCredentials
"""Kinds of which a request carries a token that a provider gave, and that ends: an account (`account.py`)."""

_OF_KIND: Final[Mapping[str, type[_Kind]]] = {str(one.__struct_config__.tag): one for one in get_args(Credential)}
KINDS: Final = tuple(_OF_KIND)
"""The names of all kinds."""
KINDS_FOR_ONE_CALLER: Final = tuple(str(one.__struct_config__.tag) for one in get_args(ForOneCaller))
"""Those that are another for each caller."""
KINDS_WITH_SETTINGS: Final = tuple(name for name, one in _OF_KIND.items() if one.__struct_fields__)


@dataclass(frozen=True, slots=True)
class CheckedCredential:
    """A credential that an entry may be saved with; made by `control/credentials/dispatch.py` alone."""

    credential: Credential
    fills: tuple[Target, ...]
    """The headers, or the variable or file, that it fills: no other source may fill them too."""
    asks: tuple[str, ...] = ()
    """Plain answers that installations bring for it: no field may have such a name."""


@dataclass(frozen=True, slots=True)
class Cure:
    """What a person can do about a credential that is missing."""

    sentence: str
    """For whoever looks after the installation."""
    option: str
    """Of `archway installations create` and `update`, with which it is given; '' where the command line cannot."""


def settings_class(kind: str) -> type[msgspec.Struct]:
    """The class whose fields are the settings of this kind; KeyError for a kind that there is not."""
    return _OF_KIND[kind]


def kind_of(credential: Credential) -> str:
    """The kind's name."""
    return str(credential.__struct_config__.tag)


def settings_of(credential: Credential) -> dict[str, Any]:
    """The settings that are not the usual ones, as JSON."""
    told: dict[str, Any] = msgspec.to_builtins(credential)
    return {name: value for name, value in told.items() if name != "kind"}


def credential_of(kind: str, settings: Mapping[str, Any] | None, field: str = "credential_placement") -> Credential:
    """The credential of this kind with these settings; BrokenRule at `field` where they do not go together."""
    declared = msgspec.structs.fields(settings_class(kind))
    names = [one.name for one in declared]
    if settings and not names:
        kinds = " or ".join(repr(one) for one in KINDS_WITH_SETTINGS)
        raise BrokenRule(field, f"goes with the credential model {kinds} only; take it out")
    if not settings and any(one.required for one in declared):
        raise BrokenRule(field, f"is needed with the credential model {kind!r}; give its {names[0]}")
    try:
        if settings and not set(names).issuperset(settings):
            raise msgspec.ValidationError
        made: Credential = msgspec.convert({**(settings or {}), "kind": kind}, Credential)
    except msgspec.ValidationError:
        raise BrokenRule(field, f"does not fit the credential model {kind!r}; it takes {', '.join(names)}") from None
    return made
