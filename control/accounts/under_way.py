"""What is kept sealed of a sign-in at a provider while its person is away: how it began.

Made and opened by `sign_ins.py`. All that decides where tokens go is fixed at the beginning, so that
nothing which changes in between leads a code or a secret elsewhere.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import msgspec

from control.accounts.given import Given, new_account
from control.changes.installations import WantedInstallation
from control.credentials.upstream_oauth.authorization_server import AuthorizationServer
from control.credentials.upstream_oauth.authorize import Begun
from control.credentials.upstream_oauth.client import UpstreamClient
from control.registry.account import NewAccount
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

    def account(self, given: Given, now: datetime, ahead: timedelta = timedelta(0)) -> NewAccount:
        """The account that it has come to; its tokens are still to be sealed. `ahead` as `new_account`."""
        return new_account(
            given,
            self.server,
            self.client,
            client_row=self.client_row,
            place=self.place,
            resource=self.begun.resource,
            now=now,
            ahead=ahead,
        )
