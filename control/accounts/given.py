"""What a provider gave and whose account it is, and the account that is made of it.

Made when somebody came back from a provider (`sign_ins.py`), where it waits sealed for their word, and of tokens that
somebody deposits (`deposit.py`). Leaves out how tokens are sealed, and what they are replaced with: `next_tokens.py`.
"""

from datetime import UTC, datetime, timedelta
from random import random

import msgspec

from control.accounts.times import next_refresh
from control.credentials.upstream_oauth.account import AccountName
from control.credentials.upstream_oauth.authorization_server import AuthorizationServer
from control.credentials.upstream_oauth.client import UpstreamClient
from control.credentials.upstream_oauth.token_answer import Granted
from control.registry.account import AccountTokens, NewAccount


class Given(msgspec.Struct, frozen=True, kw_only=True):
    """What a provider gave to somebody, and whose account there it is of."""

    access_token: str
    refresh_token: str
    expires_at: float
    """Unix seconds; 0: not said."""
    scopes: tuple[str, ...]
    account_name: str
    subject: str

    def __repr__(self) -> str:
        return "Given()"

    @property
    def tokens(self) -> AccountTokens:
        """As an account keeps them."""
        return AccountTokens(access_token=self.access_token, refresh_token=self.refresh_token)


def given_of(granted: Granted, whose: AccountName, asked: tuple[str, ...]) -> Given:
    """The tokens that a provider granted, with whose they are. `asked`: the scopes that were asked for, which were
    granted where the provider does not say.
    """
    return Given(
        access_token=granted.access_token,
        refresh_token=granted.refresh_token,
        expires_at=granted.expires_at,
        scopes=asked if granted.scopes is None else granted.scopes,
        account_name=whose.name,
        subject=whose.subject,
    )


def new_account(
    given: Given,
    server: AuthorizationServer,
    client: UpstreamClient,
    *,
    client_row: str | None,
    place: str,
    resource: str,
    now: datetime,
    ahead: timedelta = timedelta(0),
) -> NewAccount:
    """The account; its tokens are still to be sealed. `client_row`: of a client that Archway registered itself;
    `place`: where the account may go; `resource`: what its tokens are for; `ahead`: by how much the next ones must
    come before the end of these (`control/registry/token_at_start.py`).
    """
    ends = datetime.fromtimestamp(given.expires_at, UTC) if given.expires_at else None
    return NewAccount(
        place=place,
        issuer=server.issuer,
        token_endpoint=server.token_endpoint,
        revocation_endpoint=server.revocation_endpoint,
        resource=resource,
        client_id=client.client_id,
        client_authentication=client.authentication,
        upstream_client_id=client_row,
        tokens=b"",
        expires_at=ends,
        refresh_at=next_refresh(ends, now, random(), ahead) if given.refresh_token else None,  # noqa: S311  # spreads load
        scopes=given.scopes,
        account_name=given.account_name,
        subject=given.subject,
    )
