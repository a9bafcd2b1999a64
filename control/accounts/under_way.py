"""What is kept sealed of a sign-in at a provider between its steps: how it began, and what the provider gave.

Made and opened by `sign_ins.py`. All that decides where tokens go is fixed at the beginning, so that
nothing which changes in between leads a code or a secret elsewhere.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from random import random
from typing import Any

import msgspec

from control.accounts.times import next_refresh
from control.changes.installations import WantedInstallation
from control.credentials.upstream_oauth.authorization_server import AuthorizationServer
from control.credentials.upstream_oauth.authorize import Begun
from control.credentials.upstream_oauth.client import UpstreamClient
from control.registry.account import AccountTokens, NewAccount
from control.registry.install_path import install_path
from control.registry.owner import Scope


class WantedNew(msgspec.Struct, frozen=True, kw_only=True):
    """The installation that a person wants, where there is none yet."""

    scope: Scope
    team_id: str | None = None
    name: str | None = None
    values: Mapping[str, Any] = {}

    def __repr__(self) -> str:
        return f"WantedNew({self.scope})"

    def whose(self, user_id: str) -> str:
        """The key of the owner that this person wants it for; '' for the organisation."""
        return {"personal": f"user:{user_id}", "team": f"team:{self.team_id}"}.get(self.scope, "")

    def of(self, entry_id: str) -> WantedInstallation:
        """As the change takes it."""
        return WantedInstallation(
            entry_id=entry_id, scope=self.scope, team_id=self.team_id, name=self.name, values=self.values
        )


class UnderWay(msgspec.Struct, frozen=True, kw_only=True):
    """How a person's sign-in at a provider began: kept sealed until it has come back."""

    begun: Begun
    server: AuthorizationServer
    client: UpstreamClient
    client_row: str | None
    """Of a client that Archway registered itself."""
    place: str
    """What the entry said then of where the account may go."""
    wanted: WantedNew | None
    """None: an installation that is there signs in again."""

    def __repr__(self) -> str:
        return f"UnderWay({self.begun!r})"

    def begun_at(self, slug: str, user_id: str, installation_id: str | None) -> str:
        """The page on which this person began, for the same owner or installation: there they may begin again."""
        whose = "" if self.wanted is None else self.wanted.whose(user_id)
        return install_path(slug, whose, installation_id or "")


class Came(msgspec.Struct, frozen=True, kw_only=True):
    """What the provider gave, and whose account it is."""

    access_token: str
    refresh_token: str
    expires_at: float
    """Unix seconds; 0: not said."""
    scopes: tuple[str, ...]
    account_name: str
    subject: str

    def __repr__(self) -> str:
        return "Came()"

    @property
    def tokens(self) -> AccountTokens:
        """As an account keeps them."""
        return AccountTokens(access_token=self.access_token, refresh_token=self.refresh_token)


def account_from(way: UnderWay, came: Came, now: datetime) -> NewAccount:
    """The account that a sign-in has come to; its tokens are still to be sealed."""
    ends = datetime.fromtimestamp(came.expires_at, UTC) if came.expires_at else None
    return NewAccount(
        place=way.place,
        issuer=way.server.issuer,
        token_endpoint=way.server.token_endpoint,
        revocation_endpoint=way.server.revocation_endpoint,
        resource=way.begun.resource,
        client_id=way.client.client_id,
        client_authentication=way.client.authentication,
        upstream_client_id=way.client_row,
        tokens=b"",
        expires_at=ends,
        refresh_at=next_refresh(ends, now, random()) if came.refresh_token else None,  # noqa: S311  # spreads load
        scopes=came.scopes,
        account_name=came.account_name,
        subject=came.subject,
    )
