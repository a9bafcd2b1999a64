"""An account made of tokens that somebody got elsewhere: where they may go is found out, and whose they are.

Called by the admin API. The provider is not asked for other tokens; whether these are good shows when they are used.
"""

from datetime import UTC, datetime
from random import random

from control.accounts.providers import UpstreamProviders
from control.accounts.times import next_refresh
from control.credentials.upstream_oauth.account import account_of
from control.credentials.upstream_oauth.authorize import wanted_scopes
from control.credentials.upstream_oauth.token_answer import Granted
from control.registry.account import AccountTokens, NewAccount, place_of
from control.registry.credential import OAuthCredential
from control.registry.entry import Entry
from control.registry.installation import Installation


async def deposited(
    providers: UpstreamProviders,
    entry: Entry,
    installation: Installation,
    settings: OAuthCredential,
    tokens: AccountTokens,
    expires_in: int | None,
    scopes: tuple[str, ...] | None,
) -> NewAccount:
    """The account, its tokens still to be sealed. With a refresh token they must be of the client that Archway is
    there. Raises ProviderAway, CannotSignIn.
    """
    url = providers.url_for(entry, installation.plain_values)
    found = await providers.found(url, settings)
    server, now = found.server, providers.now()
    asked = wanted_scopes(found.discovered, settings, found.challenge)
    known = await providers.client_at(entry, settings, server, asked)
    ends = None if expires_in is None else datetime.fromtimestamp(now + expires_in, UTC)
    granted = Granted(access_token=tokens.access_token, refresh_token=tokens.refresh_token)
    whose = await account_of(providers.asker, server, settings, known.client.client_id, granted, now)
    return NewAccount(
        place=place_of(entry, url),
        issuer=server.issuer,
        token_endpoint=server.token_endpoint,
        revocation_endpoint=server.revocation_endpoint,
        resource=found.discovered.resource,
        client_id=known.client.client_id,
        client_authentication=known.client.authentication,
        upstream_client_id=known.row,
        tokens=b"",
        expires_at=ends,
        refresh_at=_refreshed_at(ends, now) if tokens.refresh_token else None,
        scopes=scopes or (),
        account_name=whose.name,
        subject=whose.subject,
    )


def _refreshed_at(ends: datetime | None, now: float) -> datetime | None:
    return next_refresh(ends, datetime.fromtimestamp(now, UTC), random())  # noqa: S311  # spreads load
