"""Changes of who people are at identity providers, and of what a provider's word gives and takes.

Called by `control/identity/`, which has checked that it is the provider's word. What claims gave is taken again when
they no longer say so; what people gave stays theirs to take. The actor is the provider, by name.
"""

import logging
from collections.abc import Mapping

from control.changes import teams, users
from control.changes.refusals import NotNow, NotThere
from control.changes.write import Write, there
from control.registry.access import Caller, Role
from control.registry.identity import Identity, ProvidedPerson, SignInGiven, told_of_identity
from control.registry.identity_provider import IdentityProvider
from control.registry.provider_rules import lower_of
from control.registry.user import NewUser
from control.store import browser_sessions, identities
from control.store.identities import Standing
from control.store.writes import identities as rows

log = logging.getLogger(__name__)


def acting_for(provider: IdentityProvider) -> Caller:
    """A provider as the actor of changes: the audit trail names it."""
    return Caller(user_id="", name=f"identity provider {provider.name}", role="admin")


async def link(write: Write, provider: IdentityProvider, person: ProvidedPerson, user_id: str) -> Identity:
    """A user is known by this issuer and subject from now on. StoreConflict `identities_subject`."""
    made = await rows.insert(write, provider.id, person.issuer, person.subject, user_id, person.email)
    await write.announce()
    await write.record("create", "identity", made.id, None, told_of_identity(made))
    return made


async def make_person(write: Write, provider: IdentityProvider, person: ProvidedPerson) -> Identity:
    """A new user, a member, who is known by this issuer and subject. StoreConflict `users_email` too."""
    name = person.name or person.email.partition("@")[0]
    user = await users.create(write, NewUser(name=name, email=person.email, role="member"))
    return await link(write, provider, person, user.id)


async def unlink(write: Write, identity_id: str) -> None:
    """The user is known by this subject no more; with another one they can be found again. The sessions end that the
    provider vouched for: they may be somebody else's.
    """
    before = await identities.one(write.connection, identity_id, lock=True)
    if before is None:
        raise NotThere("identity")
    await rows.delete(write, identity_id)
    await browser_sessions.delete_all_by(write.connection, before.provider_id, user_id=before.user_id)
    await write.announce(users=[before.user_id], providers=[before.issuer])
    await write.record("delete", "identity", identity_id, told_of_identity(before), None)


async def sign_in(
    write: Write, provider: IdentityProvider, identity: Identity, person: ProvidedPerson, given: SignInGiven
) -> Identity:
    """The person signed in themselves. Whom only the provider's silence had shut out is let in again."""
    after = await rows.set_signed_in(write, identity.id, person.email, given)
    await write.announce()
    write.observed()
    standing = there(await identities.standing(write.connection, identity.user_id, provider.id))
    if standing.disabled and standing.shut_out_by == provider.id:
        await users.enable(write, identity.user_id)
    return after


async def apply_claims(write: Write, provider: IdentityProvider, identity: Identity, person: ProvidedPerson) -> bool:
    """Give the person what the claims say, and take what they no longer say; whether anything was changed."""
    standing = await identities.standing(write.connection, identity.user_id, provider.id)
    if standing is None:
        return False
    changed = False
    if person.teams is not None:
        changed = await _apply_teams(write, provider, identity.user_id, standing, person.teams)
    if person.role is not None:
        changed = await _apply_role(write, provider, identity, standing, person.role) or changed
    return changed


def differs(standing: Standing, identity: Identity, person: ProvidedPerson) -> bool:
    """Whether `apply_claims` would change something: asked first, since it is mostly no."""
    if person.role is not None and _wanted_role(standing, identity, person.role) != standing.role:
        return True
    if person.teams is None:
        return False
    return bool(_missing_teams(standing, person.teams)) or bool(standing.provided - set(person.teams))


async def shut_out(write: Write, provider: IdentityProvider, identity: Identity) -> bool:
    """The provider knows the person no more: they are out until they sign in there again. The last admin stays, since
    else nobody could let anybody in. False where they have signed in meanwhile.
    """
    gone = await rows.set_gone(write, identity.id, identity.tokens_version)
    await write.announce()
    if not gone:
        write.observed()
        return False
    await write.record("update", "identity", identity.id, told_of_identity(identity), {"gone": True})
    try:
        user = await users.disable(write, identity.user_id)
    except NotNow:
        told = {"provider": provider.slug, "user_id": identity.user_id}
        log.warning("the last admin is no longer known to their identity provider, and stays", extra=told)
        return True
    await rows.set_shut_out_by(write, user.id, provider.id)
    await write.announce()
    write.observed()
    return True


async def use_state(write: Write, digest: str, older_s: float) -> bool:
    """Whether what came back from a provider has not come back before."""
    fresh = await rows.use_state(write, digest, older_s)
    await write.announce()
    write.observed()
    return fresh


async def _apply_teams(
    write: Write, provider: IdentityProvider, user_id: str, standing: Standing, wanted: Mapping[str, Role]
) -> bool:
    missing = _missing_teams(standing, wanted)
    there_are = await identities.existing_teams(write.connection, sorted(missing))
    for team_id in sorted(there_are):
        await teams.set_member(write, team_id, user_id, missing[team_id])
        await rows.note_provided(write, team_id, user_id, provider.id)
        await write.announce()
        write.observed()
    gone = sorted(standing.provided - set(wanted))
    for team_id in gone:
        await teams.remove_member(write, team_id, user_id)
    return bool(there_are or gone)


async def _apply_role(
    write: Write, provider: IdentityProvider, identity: Identity, standing: Standing, wanted: Role
) -> bool:
    role = _wanted_role(standing, identity, lower_of(wanted, provider.highest_role))
    if role == standing.role:
        return False
    try:
        await users.change(write, identity.user_id, {"role": role})
    except NotNow:
        log.warning("the last admin keeps their role, whatever claims say", extra={"user_id": identity.user_id})
        return False
    await rows.set_role_given(write, identity.id, None if role == "member" else role)
    await write.announce()
    write.observed()
    return True


def _wanted_role(standing: Standing, identity: Identity, wanted: Role) -> Role:
    """What the claims make of the role: all of what they gave, and of what people gave only more."""
    if identity.role_given == standing.role:
        return wanted
    return standing.role if lower_of(standing.role, wanted) == wanted else wanted


def _missing_teams(standing: Standing, wanted: Mapping[str, Role]) -> dict[str, Role]:
    """Teams that the claims would give or change: not those where somebody else put the person."""
    return {
        team_id: role
        for team_id, role in wanted.items()
        if team_id not in standing.teams or (team_id in standing.provided and standing.teams[team_id] != role)
    }
