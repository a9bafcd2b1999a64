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

from control.registry.credential import ClientCredentials, IdentityAssertion, OAuthCredential
from control.registry.entry import Entry, bound_origin
from control.registry.origin import origin_of

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
    earlier_url: str = ""
    """The URL of its server, where `place` has the origin alone (`earlier_place_of`); '' else."""
    version: int
    """Rises with every new token."""
    wanted_scopes: tuple[str, ...]
    """What its server said that it needs besides: asked for at the next sign-in."""
    fault: str
    """Why the last refresh gave no tokens, in one sentence; '' where it did."""
    failing_since: datetime | None
    refusals: int = 0
    """Renewals in a row that were made because the server refused the token before."""
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


def place_of(entry: Entry, url: str) -> str:
    """Where an account of this entry may go, as one text: the server's URL and all that names the provider.

    `url`: of the server as the installation reaches it, whole: one host may serve many owners, each at a path. An
    account is used while its entry says the same as when it came; where the entry goes back to that, the account is
    good again.
    """
    return json.dumps({"url": url, "origin": bound_origin(entry.reached), **_provider(entry)}, sort_keys=True)


def earlier_place_of(entry: Entry, url: str) -> str:
    """The same as it was written before it had the URL. An account with such a place opens with no other."""
    return json.dumps({"origin": origin_of(url), **_provider(entry)}, sort_keys=True)


def is_placed_at(account: Account, entry: Entry, url: str) -> bool:
    """Whether the account came for the server at this URL, and for the provider that the entry names now."""
    if account.place == place_of(entry, url):
        return True
    return account.earlier_url == url and account.place == earlier_place_of(entry, url)


def _provider(entry: Entry) -> dict[str, str]:
    """All that an entry says of where tokens come from and go to, beside its server."""
    credential = entry.credential
    told: dict[str, str] = {}
    if isinstance(credential, OAuthCredential):
        names = (
            "issuer", "token_endpoint", "revocation_endpoint", "resource", "client_id", "account_endpoint",
        )  # fmt: skip
        told |= {name: getattr(credential, name) for name in names}
    elif isinstance(credential, ClientCredentials):
        told |= {name: getattr(credential, name) for name in ("issuer", "token_endpoint", "resource")}
    return told


_OF_CLIENT: Final = ("issuer", "token_endpoint", "revocation_endpoint", "client_id")


def client_place(entry_credential: OAuthCredential | IdentityAssertion, origin: str) -> str:
    """Where the secret of a client that an admin registered by hand may go, as one text."""
    told = {"origin": origin} | {name: getattr(entry_credential, name, "") for name in _OF_CLIENT}
    return json.dumps(told, sort_keys=True)


def url_in(place: str) -> str:
    """The URL of the server that a place names; of one from before it had the URL, the origin."""
    told = json.loads(place)
    return str(told.get("url") or told.get("origin", ""))


def client_place_in(place: str) -> str:
    """The same, of an entry as it was when an account came: `place` is the account's."""
    told = json.loads(place)
    return json.dumps({name: told.get(name, "") for name in ("origin", *_OF_CLIENT)}, sort_keys=True)
