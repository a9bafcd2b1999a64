"""An account made of tokens that somebody got elsewhere: where they may go is found out, and whose they are.

Called by the admin API. The provider is not asked for other tokens; whether these are good shows when they are used.
"""

from datetime import UTC, datetime

from control.accounts.given import given_of, new_account
from control.accounts.upstream_providers import UpstreamProviders
from control.credentials.upstream_oauth.account import account_of
from control.credentials.upstream_oauth.authorize import wanted_scopes
from control.credentials.upstream_oauth.token_answer import Granted
from control.credentials.upstream_oauth.unfit import CannotSignIn
from control.registry.account import AccountTokens, NewAccount
from control.registry.credential import OAuthCredential
from control.registry.entry import Entry
from control.registry.installation import Installation
from control.registry.token_at_start import renewed_ahead


async def deposited(
    providers: UpstreamProviders,
    entry: Entry,
    installation: Installation,
    settings: OAuthCredential,
    tokens: AccountTokens,
    expires_in: int | None,
    scopes: tuple[str, ...] | None,
    issuer: str | None,
) -> NewAccount:
    """The account, its tokens still to be sealed. With a refresh token they must be of the client that Archway is
    there. `issuer`: whose they are, as whoever brings them says. Raises ProviderAway, CannotSignIn.
    """
    url = providers.url_for(entry, installation.plain_values)
    found = await providers.found(url, settings)
    server, now = found.server, providers.now()
    _check_whose(server.issuer, settings, tokens, issuer)
    asked = wanted_scopes(found.discovered, settings, found.challenge)
    known = await providers.client_at(entry, settings, server, asked)
    granted = Granted(
        access_token=tokens.access_token,
        refresh_token=tokens.refresh_token,
        expires_at=0.0 if expires_in is None else now + expires_in,
        scopes=scopes,
    )
    whose = await account_of(providers.asker, server, settings, known.client.client_id, granted, now)
    return new_account(
        given_of(granted, whose, ()),
        server,
        known.client,
        client_row=known.row,
        place=providers.place_for(entry, installation.plain_values),
        resource=found.discovered.resource,
        now=datetime.fromtimestamp(now, UTC),
        ahead=renewed_ahead(entry),
    )


def _check_whose(found: str, settings: OAuthCredential, tokens: AccountTokens, issuer: str | None) -> None:
    """Raise CannotSignIn where the tokens are of another provider than was found, or a refresh token would go to one
    that the server alone has named: it is good there for longer than any call.
    """
    if issuer is None and tokens.refresh_token and not settings.issuer:
        raise CannotSignIn(
            f"say whose the refresh token is: its server names {found}; give that as `issuer`, if it is"
        )
    if issuer not in {None, found}:
        raise CannotSignIn(f"its provider is {found}, and the tokens are of another one")
