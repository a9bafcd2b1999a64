"""Who a person of a provider is here: the user whom issuer and subject name, or who is found, or made.

Called at a sign-in and for tokens of calls, in the transaction that goes on with the user. In this order: known by
issuer and subject; found by a verified address in a domain that the provider is allowed; made, if the provider's
settings say so. An address never finds somebody who is known there by another subject, since addresses are given
again, nor somebody who may do more than the provider may give.
"""

from typing import Final, Literal

from control.changes import identities as changes
from control.changes.write import Write, there
from control.identity.claims import domain_of
from control.registry.actions import permissions_of
from control.registry.identity import Identity, ProvidedPerson
from control.registry.identity_provider import IdentityProvider
from control.store import identities, users
from control.store.identities import Standing

Why = Literal["no_email", "not_verified", "foreign_domain", "other_subject", "higher_role", "nobody"]
CURES: Final[dict[Why, str]] = {
    "no_email": "The provider tells no e-mail address: let it send one (scope and claim `email`).",
    "not_verified": "The provider does not say that the e-mail address was verified: verify it there, or, if nobody "
    "there chooses their own address, set `assume_email_verified`.",
    "foreign_domain": "The e-mail address is of a domain that this provider is not allowed: see `allowed_domains`.",
    "other_subject": "The user with this e-mail address is known by another account of this provider: an admin must "
    "unlink that one first.",
    "higher_role": "The user with this e-mail address may do more than this provider may give: see `highest_role`, "
    "or let them sign in with their password.",
    "nobody": "Nobody here has this e-mail address: an admin must let the person in first, or set `create_people`.",
}


class Unmatched(Exception):
    """A person whom the provider knows, and who is nobody here. `why` is one word, the text says what to do."""

    def __init__(self, why: Why) -> None:
        super().__init__(CURES[why])
        self.why: Why = why


async def known(write: Write, person: ProvidedPerson) -> Identity | None:
    """Who is known by this issuer and subject."""
    return await identities.by_subject(write.connection, person.issuer, person.subject)


async def matched(write: Write, provider: IdentityProvider, person: ProvidedPerson) -> Identity:
    """The identity of this person, linked or made where that is allowed; raises Unmatched.

    Two first calls at once may both get here; one of them then has StoreConflict, and finds the person when it comes
    again.
    """
    found = await known(write, person)
    if found is not None:
        return found
    _refuse_address(provider, person)
    user_id = await identities.user_with_email(write.connection, person.email)
    if user_id is None:
        if not provider.create_people:
            raise Unmatched("nobody")
        return await changes.make_person(write, provider, person)
    if not provider.match_email:
        raise Unmatched("nobody")
    if any(one.issuer == person.issuer for one in await identities.of_user(write.connection, user_id)):
        raise Unmatched("other_subject")
    if not there(await users.standing(write.connection, user_id)).permissions <= permissions_of(
        provider.highest_role
    ):
        raise Unmatched("higher_role")
    return await changes.link(write, provider, person, user_id)


async def recognised(write: Write, provider: IdentityProvider, person: ProvidedPerson) -> tuple[Identity, Standing]:
    """Who calls, or is vouched for, with what the claims of this very token give them; raises as `matched`.

    What the provider says at sign-ins, and when it is asked again, counts more than what single tokens say.
    """
    identity = await matched(write, provider, person)
    if not signs_in(identity):
        _ = await changes.apply_claims(write, provider, identity, person)
    standing = await identities.standing(write.connection, identity.user_id, provider.id)
    if standing is None:
        raise Unmatched("nobody")
    return identity, standing


def signs_in(identity: Identity) -> bool:
    """Whether what the provider says at sign-ins, and when it is asked again, counts; then claims of calls do not."""
    return identity.signed_in_at is not None


def _refuse_address(provider: IdentityProvider, person: ProvidedPerson) -> None:
    """Raise Unmatched for an address that finds nobody and makes nobody."""
    if not provider.match_email and not provider.create_people:
        raise Unmatched("nobody")
    if not person.email:
        raise Unmatched("no_email")
    if not person.email_verified:
        raise Unmatched("not_verified")
    if domain_of(person.email) not in provider.allowed_domains:
        raise Unmatched("foreign_domain")
