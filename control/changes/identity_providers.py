"""Changes of identity providers, and what was seen of them: their endpoints and keys.

Whoever decides whose word is taken for who somebody is could make themselves anybody, so these are an admin's alone.
A provider that gateways name cannot be deleted. What it gave people goes with it: teams, roles, and the way in.
"""

from collections.abc import Callable, Sequence

from control.changes import teams, users
from control.changes.refusals import NotNow, NotThere, refuse_stale
from control.changes.safeguards import Safeguards
from control.changes.write import Write, there
from control.registry.broken_rule import BrokenRule
from control.registry.exchange_rules import exchange_place
from control.registry.identity_provider import (
    Endpoints,
    IdentityProvider,
    ProviderFields,
    ProviderState,
    ServiceRule,
    told_of_provider,
)
from control.registry.provider_rules import check_provider
from control.store import browser_sessions, identities, identity_providers, oauth_clients
from control.store.writes import identity_providers as rows
from control.store.writes import kept_tokens
from core.identifiers import new_id
from core.key_sets import PublicKey


async def create(
    write: Write,
    wanted: ProviderFields,
    secret: str | None,
    safeguards: Safeguards,
    exchange_secret: str | None = None,
) -> IdentityProvider:
    """Let people sign in with a provider, or gateways take its tokens. `exchange_secret`: of the client that
    exchanges tokens there. BrokenRule; StoreConflict `identity_providers_slug`, `identity_providers_issuer`.
    """
    checked = check_provider(
        wanted, safeguards.addresses, has_secret=bool(secret), has_exchange_secret=bool(exchange_secret)
    )
    provider_id, seals = new_id(), safeguards.seals
    await _check_accounts(write, checked.service_rules)
    sealed = seals.exchange_client_secret(provider_id, exchange_place(checked), exchange_secret or "")
    made = await rows.insert(write, provider_id, checked, seals.client_secret(provider_id, secret or ""), sealed)
    await write.announce(providers=[made.issuer])
    await write.record("create", "identity_provider", made.id, None, told_of_provider(made))
    return made


async def change(
    write: Write,
    provider_id: str,
    wanted: Callable[[IdentityProvider], ProviderFields],
    secret: str | None,
    safeguards: Safeguards,
    version: int | None = None,
    exchange_secret: str | None = None,
) -> IdentityProvider:
    """Make of a provider what `wanted` says of what it is now; `secret`: another one, '' for none, None to keep it;
    `exchange_secret`: the same of the client that exchanges tokens.

    A secret goes only to the issuer that it was given for: another issuer needs it again. Where people sign in with
    it no more, the sessions that it vouched for end; what it gave for them is forgotten then too, and where another
    client asks it, which can do nothing with it. Raises as `create`.
    """
    before = await _locked(write, provider_id, version)
    fields = wanted(before)
    moved = fields.issuer != before.issuer
    if moved and await identities.people_of(write.connection, provider_id):
        raise NotNow("People are known by this issuer's names for them: make another provider, and delete this one.")
    sealed = before.client_secret if secret is None and not moved else None
    sealed = safeguards.seals.client_secret(provider_id, secret) if secret else sealed
    kept = before.exchange_client_secret if exchange_secret is None else None
    checked = check_provider(
        fields, safeguards.addresses, has_secret=sealed is not None, has_exchange_secret=bool(exchange_secret or kept)
    )
    if kept and exchange_place(checked) != exchange_place(before):
        raise BrokenRule("exchange_client_secret", "was given for another endpoint or client; give it again")
    if exchange_secret:
        kept = safeguards.seals.exchange_client_secret(provider_id, exchange_place(checked), exchange_secret)
    await _check_accounts(write, checked.service_rules, before.service_rules)
    after = await rows.update(write, provider_id, checked, sealed, kept)
    if moved:
        await rows.forget_state(write, provider_id)
    signs_in = after.enabled and after.sign_in
    if not signs_in or moved or before.client_id != after.client_id:
        await kept_tokens.forget_of_provider(write, provider_id)
    people = await identities.people_of(write.connection, provider_id) if before.enabled != after.enabled else []
    if not signs_in:
        await browser_sessions.delete_all_by(write.connection, provider_id)
    await write.announce(
        users=people,
        entries=await identity_providers.entries_of(write.connection, provider_id),
        providers={before.issuer, after.issuer},
        gateways=await identity_providers.gateways_of(write.connection, provider_id),
    )
    await write.record("update", "identity_provider", provider_id, told_of_provider(before), told_of_provider(after))
    return after


async def delete(write: Write, provider_id: str, version: int | None = None) -> None:
    """Delete a provider: nobody is known by it any more, and what its claims gave people is taken away."""
    before = await _locked(write, provider_id, version)
    if named := await identity_providers.gateways_of(write.connection, provider_id):
        slugs = ", ".join(list(named.values())[:5])
        raise NotNow(f"Gateways take this provider's tokens: {slugs}. Choose another for them, or none.")
    if named := await identity_providers.entries_of(write.connection, provider_id):
        slugs = ", ".join(list(named.values())[:5])
        raise NotNow(f"Servers get tokens that this provider exchanges: {slugs}. Give them another credential first.")
    people = await identities.people_of(write.connection, provider_id)
    members, holders = await identities.given_by(write.connection, provider_id)
    for user_id in holders:
        await users.change(write, user_id, {"role": "member"})
    for team_id, user_id in members:
        await teams.remove_member(write, team_id, user_id)
    await browser_sessions.delete_all_by(write.connection, provider_id)
    await rows.delete(write, provider_id)
    await write.announce(users=people, providers=[before.issuer])
    await write.record("delete", "identity_provider", provider_id, told_of_provider(before), None)


async def claim_try(write: Write, provider_id: str, cool_down_s: float) -> bool:
    """Whether whoever asks this may ask the provider now; then nobody else may for `cool_down_s` seconds."""
    claimed = await rows.claim_try(write, provider_id, cool_down_s)
    await write.announce()
    write.observed()
    return claimed


async def keep_endpoints(write: Write, provider: IdentityProvider, endpoints: Endpoints) -> ProviderState | None:
    """What the provider says of itself now; None where it is another one by now, so that nothing is kept."""
    if not await _still(write, provider):
        return None
    await rows.set_endpoints(write, provider.id, endpoints)
    await write.announce()
    write.observed()
    return await identity_providers.state(write.connection, provider.id)


async def keep_keys(
    write: Write, provider: IdentityProvider, keys: Sequence[PublicKey], skipped: Sequence[str]
) -> ProviderState | None:
    """The keys that the provider has now, of which proxies hear where they are others than before. None as above."""
    if not await _still(write, provider):
        return None
    before = await identity_providers.state(write.connection, provider.id, lock=True)
    changed = set(before.keys) != set(keys)
    await rows.set_keys(write, provider.id, keys, skipped, changed=changed)
    await write.announce(providers=[provider.issuer] if changed else ())
    write.observed()
    return there(await identity_providers.state(write.connection, provider.id))


async def keep_fault(write: Write, provider: IdentityProvider, fault: str) -> None:
    """Why the provider could not be asked; its keys and endpoints stay as they are."""
    await rows.set_fault(write, provider.id, fault)
    await write.announce()
    write.observed()


async def _check_accounts(write: Write, rules: Sequence[ServiceRule], before: Sequence[ServiceRule] = ()) -> None:
    """Raise BrokenRule for a rule that names no service account; one that was there before is kept, whatever became
    of its account, since it lets nobody in then.
    """
    known = {rule.oauth_client_id for rule in before}
    for number, rule in enumerate(rules):
        if rule.oauth_client_id in known:
            continue
        client = await oauth_clients.one(write.connection, rule.oauth_client_id)
        if client is None or client.acts != "by_itself":
            raise BrokenRule(
                f"service_rules[{number}].oauth_client_id", "is not the id of an OAuth client that acts by itself"
            )


async def _still(write: Write, provider: IdentityProvider) -> bool:
    now = await identity_providers.one(write.connection, provider.id, lock=True)
    return now is not None and now.issuer == provider.issuer


async def _locked(write: Write, provider_id: str, version: int | None) -> IdentityProvider:
    provider = await identity_providers.one(write.connection, provider_id, lock=True)
    if provider is None:
        raise NotThere("identity provider")
    refuse_stale(version, provider.version)
    return provider
