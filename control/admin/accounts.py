"""Accounts at providers of servers, in the admin API: what was found of a provider, tokens that are deposited, and
the end of an account.

Written by `control/changes/accounts.py`. People sign in on pages (`control/console/pages/install_link.py`).
"""

from control.accounts.deposit import deposited
from control.accounts.looked_at import looked_at
from control.admin.account_models import AccountDeposit, ProviderFound
from control.admin.api import Asked, Operations
from control.admin.installation_models import InstallationView
from control.admin.installations import discovered
from control.changes import accounts as changes
from control.changes.installations import managed
from control.changes.refusals import NotNow
from control.changes.visible import visible_entry
from control.changes.write import there
from control.credentials.upstream_oauth.challenge import scopes_in
from control.credentials.upstream_oauth.unfit import CannotSignIn
from control.http.models import Id
from control.http.problems import Problem, invalid
from control.providers.asking import ProviderAway
from control.registry.account import AccountTokens
from control.registry.credential import OAuthCredential
from control.store import entries, installations
from control.store.pool import transaction

operations = Operations("installations")


@operations.get("/entries/{entry_id}/sign-in")
async def find_provider(asked: Asked, entry_id: Id) -> ProviderFound:
    """Look at the provider at which people sign in for an entry: what it says now, and what an admin has to do."""
    async with transaction(asked.pool, readonly=True) as connection:
        entry = visible_entry(await entries.one(connection, entry_id), asked.caller)
    if not isinstance(entry.credential, OAuthCredential):
        raise invalid("credential_model", "is not 'oauth': nobody signs in at a provider for this entry")
    found = await looked_at(asked.deps.upstream, entry, entry.credential)
    return ProviderFound(**found)


@operations.put("/installations/{installation_id}/account", if_match=False)
async def deposit_account(asked: Asked, installation_id: Id, body: AccountDeposit) -> InstallationView:
    """Give an installation tokens that were got elsewhere; then discover what its server offers."""
    async with transaction(asked.pool, readonly=True) as connection:
        found = managed(
            await installations.one(connection, installation_id), asked.caller, "installation:update"
        )  # fmt: skip
        entry = there(await entries.one(connection, found.entry_id))
    if not isinstance(entry.credential, OAuthCredential):
        raise invalid("access_token", f"is not accepted by {entry.name}: nobody signs in at a provider for it")
    scopes = scopes_in(body.scope) if body.scope is not None else None
    tokens = AccountTokens(access_token=body.access_token, refresh_token=body.refresh_token or "")
    try:
        account = await deposited(
            asked.deps.upstream, entry, found, entry.credential, tokens, body.expires_in, scopes, body.issuer
        )
    except CannotSignIn as cannot:
        raise NotNow(f"{entry.name}: {cannot}.") from None
    except ProviderAway as away:
        raise Problem(503, f"The provider of {entry.name} cannot be asked now: {away}.") from None
    async with asked.changing() as write:
        await changes.connect(write, asked.deps.safeguards, installation_id, account, tokens)
    return await discovered(asked, installation_id)


@operations.delete("/installations/{installation_id}/account", if_match=False)
async def delete_account(asked: Asked, installation_id: Id) -> None:
    """Disconnect an installation: its calls end, and its provider is told that its tokens are used no more."""
    async with asked.changing() as write:
        await changes.disconnect(write, installation_id)
