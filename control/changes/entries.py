"""Changes of registry entries. A change is felt by the entry's installations (`control/credentials/binding.py`) and
by every gateway that carries its tools; all of it is written together.
"""

from collections.abc import Callable
from typing import Any, Final

from control.changes.callers_tokens import check_speaks_for_callers
from control.changes.environments import check_image, placer, refuse_to_take_out
from control.changes.held_entries import ask_again, may_be_over
from control.changes.overrides import check_override, refuse_to_override
from control.changes.pull_secrets import check_named
from control.changes.quotas import quota_before, refuse_over
from control.changes.refusals import NotAllowed, NotNow, refuse_in_use, refuse_stale
from control.changes.safeguards import Safeguards
from control.changes.served_environments import check_moved
from control.changes.visible import managed_entry
from control.changes.write import Write, there
from control.credentials import dispatch
from control.credentials.binding import state_after
from control.credentials.matrix import check_goes_together
from control.registry.account import client_place
from control.registry.actions import Action, lacking
from control.registry.broken_rule import BrokenRule
from control.registry.credential import IdentityAssertion, OAuthCredential
from control.registry.entry import Entry, NewEntry, WantedEntry, bound_origin, entry_fields, told_of_entry
from control.registry.entry_rules import check_entry
from control.registry.held_hosts import check_held
from control.registry.installation import Installation
from control.registry.installing import check_can_hold, may_see
from control.registry.self_hosted import SelfHosted
from control.registry.team_entries import check_owner_stays, entry_owner
from control.store import entries, gateways, installations
from control.store.writes import entries as rows
from control.store.writes import installations as installation_rows
from core.identifiers import new_id


async def create(write: Write, safeguards: Safeguards, wanted: WantedEntry) -> Entry:
    """Approve a server, for the organisation or as a team's own. BrokenRule; NotAllowed; StoreConflict
    `entries_slug_key`, `entry_teams_team_id_fkey` or `entries_team_id_fkey`.
    """
    if not write.actor.may_for("entry:create", entry_owner(wanted)):
        raise NotAllowed(f"{lacking('entry:create')} An editor of a team may make entries that belong to it.")
    _refuse_to_run(write, wanted, None)
    refuse_to_override(write, wanted.reached, None)
    await check_named(write, wanted, None)
    await check_speaks_for_callers(write, wanted, None)
    placed_by = await placer(write, wanted, None, named=True)
    entry_id = new_id()
    new = _sealed(safeguards, entry_id, wanted, None, placed_by)
    await check_image(write, new, None)
    await rows.insert(write, entry_id, new)
    made = there(await entries.one(write.connection, entry_id))
    check_held(made, None)
    await check_override(write.connection, safeguards, made)
    await write.announce()
    await write.record("create", "entry", entry_id, None, _recorded(made))
    return made


async def change(
    write: Write,
    safeguards: Safeguards,
    entry_id: str,
    wanted: Callable[[Entry], WantedEntry],
    version: int | None = None,
    *,
    places: bool = False,
) -> Entry:
    """Make of an entry what `wanted` says of what it is now. Raises as `create`.

    Secrets do not follow it to another URL: its installations are then to be filled in again. A team's own becomes
    the organisation's where whoever may change those says so, and never the other way round. `places`: its
    environment is named (`environments.placer`).
    """
    before = await _locked(write, entry_id, "entry:update", version)
    asked = wanted(before)
    check_owner_stays(before, asked)
    if not write.actor.may_for("entry:update", entry_owner(asked)):
        raise NotAllowed(lacking("entry:update"))
    _refuse_to_run(write, asked, before)
    refuse_to_override(write, asked.reached, before)
    await check_named(write, asked, before)
    await check_speaks_for_callers(write, asked, before)
    await check_moved(write, before, asked.environment_id)
    placed_by = await placer(write, asked, before, named=places)
    new = _sealed(safeguards, entry_id, asked, before, placed_by)
    await check_image(write, new, before)
    quota = await quota_before(write, new)
    await rows.update(write, entry_id, new)
    await refuse_over(write, quota)
    after = there(await entries.one(write.connection, entry_id))
    check_held(after, before)
    await check_override(write.connection, safeguards, after)
    settled = await _settle_installations(write, safeguards, before, after)
    if after.held != before.held:
        await ask_again(write, [after])
    held_to_others = [after] if after.held not in (None, before.held) else []
    await write.announce(
        installations_over=sorted({*settled, *await may_be_over(write, held_to_others)}),
        entries=[entry_id],
        gateways=await entries.gateways_of(write.connection, entry_id),
    )
    await write.record("update", "entry", entry_id, _recorded(before), _recorded(after))
    return after


async def discover_through(
    write: Write, entry_id: str, installation_id: str | None, version: int | None = None
) -> Entry:
    """Find an entry's tools through this installation from now on; None: through one that is ready, if there is one.
    BrokenRule for an installation that the actor may not have discovered.
    """
    before = await _locked(write, entry_id, "entry:update", version)
    if installation_id is None:
        await rows.discover_through_another(write, [entry_id])
    else:
        chosen = await installations.one(write.connection, installation_id)
        if chosen is None or chosen.entry_id != entry_id or not may_see(write.actor, chosen.owner):
            raise BrokenRule(
                "discovery_installation_id",
                "is not the id of an installation of this entry that you may see; list /installations",
            )
        if not write.actor.may_for("installation:discover", chosen.owner):
            raise BrokenRule("discovery_installation_id", lacking("installation:discover"))
        await rows.discover_through(write, entry_id, installation_id, decided=True)
    after = there(await entries.one(write.connection, entry_id))
    await write.announce()
    await write.record("update", "entry", entry_id, _recorded(before), _recorded(after))
    return after


async def delete(write: Write, entry_id: str, version: int | None = None, *, cascade: bool = False) -> None:
    """Delete an entry with its tools; with its installations and assignments only if `cascade` says so."""
    before = await _locked(write, entry_id, "entry:delete", version)
    await refuse_to_take_out(write, before)
    installed = await installations.lock_of_entry(write.connection, entry_id)
    refuse_in_use("entry", await _dependents(write, entry_id), cascade=cascade)
    showing = await entries.gateways_of(write.connection, entry_id)
    await rows.delete(write, entry_id)
    await write.announce(installations_over=[one.id for one in installed], entries=[entry_id], gateways=showing)
    await write.record("delete", "entry", entry_id, _recorded(before), None)


async def _dependents(write: Write, entry_id: str) -> list[str]:
    """What would go with the entry, in words."""
    installed = await installations.of_entry_in_words(write.connection, entry_id, write.actor)
    return installed + await gateways.showing_in_words(write.connection, write.actor, entry_id=entry_id)


async def _locked(write: Write, entry_id: str, action: Action, version: int | None) -> Entry:
    entry = managed_entry(await entries.one(write.connection, entry_id, lock=True), write.actor, action)
    refuse_stale(version, entry.version)
    return entry


def _refuse_to_run(write: Write, asked: WantedEntry, before: Entry | None) -> None:
    """Raise NotAllowed for an actor who may not choose the code that runs here: command, image, variables, files."""
    if not isinstance(asked.reached, SelfHosted) or write.actor.may("entry:run"):
        return
    if before is None or asked.reached != before.reached or asked.run_secrets is not None:
        raise NotAllowed(lacking("entry:run"))


def _sealed(
    safeguards: Safeguards, entry_id: str, wanted: WantedEntry, before: Entry | None, placed_by: str | None
) -> NewEntry:
    check_goes_together(wanted.credential, wanted.reached)
    credential = dispatch.check(wanted.credential, safeguards.addresses, safeguards.own_urls)
    checked = check_entry(wanted, credential, safeguards.addresses, before)
    if checked.entry.fixed_headers is None:
        sealed = before.fixed_headers if before else None
    else:
        sealed = safeguards.seals.fixed_headers(entry_id, checked.entry.fixed_headers)
    if checked.entry.run_secrets is None:
        run_secrets = before.run_secrets if before else None
    else:
        run_secrets = safeguards.seals.run_secrets(entry_id, checked.entry.run_secrets)
    return NewEntry(
        **entry_fields(checked.entry),
        fixed_headers=sealed,
        fixed_header_names=checked.fixed_header_names,
        run_secrets=run_secrets,
        run_secret_names=checked.run_secret_names,
        client_secret=_client_secret(safeguards, entry_id, checked.entry, before),
        placed_by=placed_by,
    )


_WITH_SECRET: Final = frozenset({"client_secret_basic", "client_secret_post"})


def _client_secret(safeguards: Safeguards, entry_id: str, wanted: WantedEntry, before: Entry | None) -> bytes | None:
    """The sealed secret of the entry's own client at its provider. It follows the entry to no other provider."""
    credential, given = wanted.credential, wanted.client_secret
    if not isinstance(credential, OAuthCredential | IdentityAssertion) or not credential.client_id:
        if given:
            raise BrokenRule(
                "client_secret",
                "goes with the credential model 'oauth' or 'id_jag' and a client_id; give both or leave it out",
            )
        return None
    place = client_place(credential, bound_origin(wanted.reached))
    if given is not None:
        return safeguards.seals.entry_client_secret(entry_id, place, given)
    if before is None or before.client_secret is None:
        if isinstance(credential, IdentityAssertion) and credential.client_authentication in _WITH_SECRET:
            way = credential.client_authentication
            raise BrokenRule("client_secret", f"is needed: the client proves itself by {way}, as the entry says")
        return None
    kept, origin = before.credential, bound_origin(before.reached)
    if isinstance(kept, OAuthCredential | IdentityAssertion) and client_place(kept, origin) == place:
        return before.client_secret
    raise BrokenRule(
        "client_secret", "was given for another provider or client; give it again, or empty for a client without one"
    )


def _recorded(entry: Entry) -> dict[str, Any]:
    """For the audit trail. What was discovered is told there by discoveries."""
    told = told_of_entry(entry)
    del told["discovery"]
    return told


def _refuse_what_cannot_sign_in(entry: Entry, installation: Installation) -> None:
    """Raise NotNow where the entry would have this installation sign in at its provider, and its owner never can."""
    try:
        check_can_hold(entry.credential, installation.owner)
    except BrokenRule:
        message = (
            f"cannot be oauth while the service account {installation.owner_name!r} has the installation "
            f"{installation.name!r}: a service account cannot sign in. Delete that installation first"
        )
        raise NotNow(f"credential_model: {message}", [("credential_model", message)]) from None


async def _settle_installations(write: Write, safeguards: Safeguards, before: Entry, after: Entry) -> list[str]:
    """Give the entry's installations the states that the change makes theirs; those that got another one."""
    changed = []
    for one in await installations.lock_of_entry(write.connection, after.id):
        _refuse_what_cannot_sign_in(after, one)
        new = state_after(before, after, one, safeguards.addresses)
        if new is not None:
            await installation_rows.set_state(write, one.id, new.state, new.reason)
            changed.append(one.id)
    return changed
