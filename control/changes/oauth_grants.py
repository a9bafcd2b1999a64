"""Changes of grants: what a person allows a client at a gateway, and whatever ends it.

A grant is made with the code that redeems it, by the person who agreed; the trail says so. It ends when its person or
an admin takes it back, and by itself when a code or a refresh token of it is used twice: then somebody has a copy.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from control.changes.refusals import NotThere
from control.changes.write import Write, there
from control.registry.oauth_grant import Grant, RevokedFor, told_of_grant
from control.registry.owner import Organisation, Person
from control.store import oauth_grants
from control.store.writes import oauth_grants as rows
from control.store.writes.oauth_grants import NewGrant

__all__ = ["CODE_LIFE", "NewGrant", "allow", "allow_by_assertion", "allow_itself", "end", "revoke", "revoke_all_of"]
CODE_LIFE: Final = timedelta(seconds=60)
"""A client redeems its code at once; a minute allows for a slow one (RFC 6749 section 4.1.2 has ten at most)."""


async def allow(write: Write, wanted: NewGrant, code_digest: str, *, redirect_uri: str, challenge: str) -> Grant:
    """The actor allows a client to act for them: a grant, and the code that redeems it within a minute."""
    grant_id = await rows.insert(write, wanted)
    await rows.insert_code(
        write, code_digest, grant_id, redirect_uri=redirect_uri, challenge=challenge, life=CODE_LIFE
    )
    await rows.remember_consent(write, wanted)
    made = there(await oauth_grants.one(write.connection, grant_id))
    await write.announce()
    await write.record("create", "grant", grant_id, None, told_of_grant(made))
    return made


async def allow_itself(write: Write, wanted: NewGrant) -> Grant:
    """A client that acts by itself begins to, at a gateway; the same grant as long as that holds."""
    known = await oauth_grants.by_itself(write.connection, wanted.client_pk, wanted.gateway_id)
    return await _standing(write, known, wanted, good=known is not None and not known.expired)


async def allow_by_assertion(write: Write, wanted: NewGrant, user_id: str) -> Grant:
    """An identity provider vouches that a client may act for this person at a gateway; the same grant as long as that
    holds. The actor is the provider. StoreConflict `oauth_grants_by_assertion` where it did so just now.
    """
    known = await oauth_grants.by_assertion(write.connection, wanted.client_pk, user_id, wanted.gateway_id)
    good = known is not None and not known.expired and known.vouched_for
    return await _standing(write, known, wanted, good=good)


async def _standing(write: Write, known: Grant | None, wanted: NewGrant, *, good: bool) -> Grant:
    """The grant that is known, as long as it is good, or a new one in its place."""
    if known is not None and good:
        return known
    if known is not None:
        await rows.revoke(write, [known.id], "asked")
    grant_id = await rows.insert(write, wanted, redeemed=True)
    made = there(await oauth_grants.one(write.connection, grant_id))
    await write.announce(grants=[] if known is None else [known.id])
    await write.record("create", "grant", grant_id, None, told_of_grant(made))
    return made


async def revoke(write: Write, grant_id: str) -> Grant:
    """Take a grant back: its tokens are refused within a second, and its person is asked again. Twice is no error."""
    before = await oauth_grants.one(write.connection, grant_id, lock=True)
    if before is None or not _may_revoke(write, before):
        raise NotThere("grant")
    return await end(write, before, "asked")


async def revoke_all_of(write: Write, *, user_id: str | None = None, client_pk: str | None = None) -> int:
    """Take back every grant of a person, or of a client that an admin ends; how many there were."""
    if user_id is not None and not write.actor.may_for("grant:revoke", Person(user_id)):
        raise NotThere("user")
    if client_pk is not None and not write.actor.may("oauth_client:disable"):
        raise NotThere("OAuth client")
    held = await oauth_grants.locked_of(write.connection, user_id=user_id, client_pk=client_pk)
    await _end_all(write, held, "asked")
    return len(held)


async def end(write: Write, grant: Grant, why: RevokedFor) -> Grant:
    """The grant, which is locked, ends now for this reason; one that has ended stays as it is."""
    if grant.revoked_at is not None:
        return grant
    await _end_all(write, [grant], why)
    return there(await oauth_grants.one(write.connection, grant.id))


async def _end_all(write: Write, held: Sequence[Grant], why: RevokedFor) -> None:
    if not held:
        return
    await rows.revoke(write, [grant.id for grant in held], why)
    for user_id, client_pk in {(grant.user_id, grant.client_pk) for grant in held}:
        if user_id is not None:
            await rows.forget_consents(write, user_id, client_pk)
    await write.announce(grants=[grant.id for grant in held])
    for before in held:
        after = there(await oauth_grants.one(write.connection, before.id))
        await write.record("revoke", "grant", before.id, told_of_grant(before), told_of_grant(after))


def _may_revoke(write: Write, grant: Grant) -> bool:
    owner = Organisation() if grant.user_id is None else Person(grant.user_id)
    return write.actor.may_for("grant:revoke", owner)
