"""Entries whose servers get a token of whoever calls: who may save them, and which provider they may name.

Called by `entries.py` in the transaction that saves an entry. Such a server can act as everybody who calls it, so an
editor alone neither chooses one nor sends it elsewhere. Leaves out what the settings are: `control/credentials/`.
"""

from control.changes.refusals import NotAllowed
from control.changes.write import Write
from control.credentials.whose import cell_of
from control.registry.actions import lacking
from control.registry.broken_rule import BrokenRule
from control.registry.credential import ForOneCaller, IdentityAssertion, TokenExchange
from control.registry.entry import Entry, WantedEntry
from control.registry.installing import check_can_hold
from control.registry.owner import Owner, ServiceAccount
from control.store import identity_providers
from core.identifiers import is_id

_NAMED = "credential_placement.identity_provider_id"


async def check_speaks_for_callers(write: Write, wanted: WantedEntry, before: Entry | None) -> None:
    """Raise NotAllowed for an actor who may not say which server gets tokens of callers, and BrokenRule for a
    provider that gives none. What the entry says already is looked at by nobody again.
    """
    credential = wanted.credential
    if not isinstance(credential, ForOneCaller):
        return
    if before is not None and (before.credential, before.reached) == (credential, wanted.reached):
        return
    if not write.actor.may("identity_provider:update"):
        raise NotAllowed(f"{lacking('identity_provider:update')} The server of such an entry acts as whoever calls.")
    if isinstance(credential, TokenExchange | IdentityAssertion):
        await _check_exchanges(write, credential)


def check_serves(entry: Entry, owner: Owner) -> None:
    """BrokenRule for an installation that could never serve its owner: a service account's own, of such an entry or
    of one that a person signs in for.
    """
    check_can_hold(entry.credential, owner)
    if isinstance(owner, ServiceAccount) and isinstance(entry.credential, ForOneCaller):
        why = cell_of(entry.credential, "service_account").refusal
        raise BrokenRule("scope", f"cannot be 'service': {entry.name} {why}")


async def _check_exchanges(write: Write, credential: TokenExchange | IdentityAssertion) -> None:
    provider_id = credential.identity_provider_id
    provider = await identity_providers.one(write.connection, provider_id) if is_id(provider_id) else None
    if provider is None:
        raise BrokenRule(_NAMED, "is not the id of an identity provider; list /identity-providers")
    if not provider.enabled:
        raise BrokenRule(_NAMED, f"is {provider.name}, which is switched off; switch it on first")
    if not provider.exchange.enabled:
        raise BrokenRule(
            _NAMED,
            f"is {provider.name}, which exchanges no tokens; allow it there first, with `archway identity-providers "
            f"update {provider.slug} --exchange '{{\"enabled\": true}}'`",
        )
    if isinstance(credential, IdentityAssertion) and provider.exchange.style == "on_behalf_of":
        raise BrokenRule(_NAMED, f"is {provider.name}, which is asked on behalf of people and gives no assertions")
