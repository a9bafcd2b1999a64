"""An account: what an installation holds at its server's provider, and where that may go.

Made by `control/store/accounts.py` of a row. Its tokens are in it sealed only (`row_seals.py`), together with all
that says where they may go, so that a row in which one of these was changed opens for nobody. Leaves out how tokens
are got and made new: `control/accounts/`.
"""

import json
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

import msgspec

from control.registry.credential import ClientCredentials, OAuthCredential
from control.registry.entry import Entry

MARGIN: Final = timedelta(seconds=10)
"""Before a token's end, in which no call begins with it."""


class AccountTokens(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a provider gave: kept sealed, and the refresh token is shown to no proxy."""

    access_token: str
    refresh_token: str = ""
    """'' where the provider gave none: then a person signs in again when the access token ends."""

    def __repr__(self) -> str:
        return "AccountTokens()"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewAccount:
    """What a provider gave to an installation, before it has a row."""

    place: str
    """As `place_of` said when the account came."""
    issuer: str
    token_endpoint: str
    revocation_endpoint: str = ""
    """'' where the provider has none."""
    resource: str = ""
    """What the tokens are for, as it was sent; '' where it was not."""
    client_id: str
    client_authentication: str
    upstream_client_id: str | None = None
    """The client that Archway registered itself; None for the entry's or the installation's own."""
    tokens: bytes = field(repr=False)
    expires_at: datetime | None = None
    """When the access token ends; None where the provider does not say."""
    refresh_at: datetime | None = None
    """When the background takes the next tokens; None: never."""
    scopes: tuple[str, ...] = ()
    """What was granted, or what was asked for where the provider does not say."""
    account_name: str = ""
    """Whose it is at the provider, for people; '' where it does not tell."""
    subject: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Account(NewAccount):
    """An account that an installation has."""

    installation_id: str
    version: int
    """Rises with every new token."""
    wanted_scopes: tuple[str, ...]
    """What its server said that it needs besides: asked for at the next sign-in."""
    fault: str
    """Why the last refresh gave no tokens, in one sentence; '' where it did."""
    failing_since: datetime | None
    refused_at: datetime | None
    """When the provider said that it does not know this sign-in any more: then a person signs in again."""
    used_at: datetime | None
    refreshed_at: datetime
    created_at: datetime

    @property
    def bound_to(self) -> tuple[str, ...]:
        """What its tokens are sealed for, beside the installation."""
        return bound_words(self)

    def lives_at(self, now: datetime) -> bool:
        """Whether a call may begin with its token now."""
        return self.refused_at is None and (self.expires_at is None or now + MARGIN < self.expires_at)


def bound_words(account: NewAccount) -> tuple[str, ...]:
    """The words that the seal of these tokens binds in: a row in which one was changed cannot be opened."""
    return account.place, account.issuer, account.token_endpoint, account.revocation_endpoint, account.resource


def place_of(entry: Entry, origin: str) -> str:
    """Where an account of this entry may go, as one text: the server's origin and all that names the provider.

    `origin`: of the server as the installation reaches it. An account is used while its entry says the same as when
    it came; where the entry goes back to that, the account is good again.
    """
    credential = entry.credential
    told: dict[str, str] = {"origin": origin}
    if isinstance(credential, OAuthCredential):
        names = (
            "issuer", "token_endpoint", "revocation_endpoint", "resource", "client_id", "account_endpoint",
        )  # fmt: skip
        told |= {name: getattr(credential, name) for name in names}
    elif isinstance(credential, ClientCredentials):
        told |= {name: getattr(credential, name) for name in ("issuer", "token_endpoint", "resource")}
    return json.dumps(told, sort_keys=True)


_OF_CLIENT: Final = ("issuer", "token_endpoint", "revocation_endpoint", "client_id")


def client_place(entry_credential: OAuthCredential, origin: str) -> str:
    """Where the secret of a client that an admin registered by hand may go, as one text."""
    told = {"origin": origin} | {name: getattr(entry_credential, name) for name in _OF_CLIENT}
    return json.dumps(told, sort_keys=True)


def origin_in(place: str) -> str:
    """The origin of the server that a place names."""
    return str(json.loads(place).get("origin", ""))


def client_place_in(place: str) -> str:
    """The same, of an entry as it was when an account came: `place` is the account's."""
    told = json.loads(place)
    return json.dumps({name: told.get(name, "") for name in ("origin", *_OF_CLIENT)}, sort_keys=True)
