"""Changes of how people sign in: links that do it once, passwords, and sessions that end before their time.

A link or a password is as good as the person, so only an admin makes links, for nobody who may do more than they, and
not with a token that ends: what comes of it would outlive the token. A password that is set ends the person's other
sessions, forgets their devices and closes their other links. Proxies hold nothing of all this.
"""

from typing import Final

from control.changes.as_admin import why_no_admin
from control.changes.refusals import NotAllowed, NotNow, NotThere
from control.changes.write import Write, there
from control.registry.access import Caller
from control.registry.browser_session import BrowserSession, told_of_session
from control.registry.owner import Person
from control.registry.password import KeptPassword, told_of_password
from control.registry.sign_in_link import NewLink, Purpose, SignInLink, refuse_purpose, told_of_link
from control.registry.user import User
from control.store import browser_sessions, known_devices, passwords, sign_in_links, users
from control.store.writes import passwords as password_rows
from control.store.writes import sign_in_links as link_rows

_NEEDS_ADMIN: Final = "Only an admin makes links that sign somebody in; ask an admin."
_OUTLIVES: Final = (
    "The token that you came with ends, and what a link leads to does not: "
    "come with one that does not end, or sign in."
)


async def make_link(write: Write, user_id: str, purpose: Purpose, digest: str) -> SignInLink:
    """Make a link that signs this person in once; `digest` is that of its secret. Raises BrokenRule, NotAllowed."""
    refuse_purpose(purpose, user_id, write.actor)
    if why := await why_no_admin(write, "link:create", _NEEDS_ADMIN, user_id):
        raise NotAllowed(why)
    if not write.actor.may_grant_until(None):
        raise NotAllowed(_OUTLIVES)
    user = await _person(await write.holder("link:create", Person(user_id)), write, user_id)
    if user.disabled_at is not None:
        raise NotNow("This person is disabled: enable them first.")
    if purpose == "invitation" and await passwords.of_user(write.connection, user_id) is not None:
        raise NotNow("This person has a password already: make a link of the purpose `reset`.")
    link_id = await link_rows.insert(
        write,
        NewLink(
            digest=digest,
            user_id=user_id,
            purpose=purpose,
            created_by=write.actor.user_id or None,
        ),
    )
    made = there(await sign_in_links.one(write.connection, user_id, link_id))
    await write.announce()
    await write.record("create", "sign_in_link", link_id, None, told_of_link(made))
    return made


async def delete_link(write: Write, user_id: str, link_id: str) -> None:
    """Take back a link: it opens nothing from now on."""
    if not write.actor.may("link:delete"):
        raise NotThere("link")
    before = await sign_in_links.one(write.connection, user_id, link_id, lock=True)
    if before is None:
        raise NotThere("link")
    await link_rows.delete(write, link_id)
    await write.announce()
    await write.record("delete", "sign_in_link", link_id, told_of_link(before), None)


async def use_link(write: Write, digest: str) -> SignInLink:
    """Use up the actor's own link; raises NotThere for one that is used, over, taken back, or of somebody disabled.

    Of several who come at the same time, one is let in.
    """
    before = await sign_in_links.open_by_digest(write.connection, digest, lock=True)
    if before is None or before.user_id != write.actor.user_id:
        raise NotThere("link")
    await link_rows.use_up(write, before.id)
    after = there(await sign_in_links.one(write.connection, before.user_id, before.id))
    await write.announce()
    await write.record("update", "sign_in_link", before.id, told_of_link(before), told_of_link(after))
    return after


async def set_password(write: Write, hashed: str) -> KeptPassword:
    """Give the actor a password of which this is the hash. All of their sessions end; the caller begins another."""
    user_id = write.actor.user_id
    if await users.hold(write.connection, user_id) is None:
        raise NotThere("user")
    before = await passwords.of_user(write.connection, user_id)
    after = await password_rows.put(write, user_id, hashed)
    await link_rows.close_others(write, user_id)
    await known_devices.forget_all_of(write.connection, user_id)
    await browser_sessions.delete_all_of(write.connection, user_id)
    await write.announce()
    told = told_of_password(user_id, before.changed_at if before else None)
    await write.record("update", "password", user_id, told, told_of_password(user_id, after.changed_at))
    return after


async def hash_anew(write: Write, before: str, after: str) -> None:
    """Keep the actor's password as it is hashed today. It is the same password, so the trail says nothing."""
    await password_rows.replace_hash(write, write.actor.user_id, before, after)
    await write.announce()
    write.observed()


async def signed_in(write: Write, session: BrowserSession) -> None:
    """Record that the actor has signed in; the session began in this transaction."""
    await write.record("create", "session", session.id, None, told_of_session(session))


async def end_session(write: Write, session_id: str) -> None:
    """End a session, one's own or, as an admin, anybody's."""
    before = await browser_sessions.one(write.connection, session_id)
    if before is None or not write.actor.may_for("session:delete", Person(before.user_id)):
        raise NotThere("session")
    await browser_sessions.delete(write.connection, session_id)
    await write.record("delete", "session", session_id, told_of_session(before), None)


async def end_sessions_of(write: Write, user_id: str, *, but: str | None = None) -> int:
    """End all sessions of a person, `but` one; how many there were."""
    if not write.actor.may_for("session:delete", Person(user_id)):
        raise NotThere("user")
    if await users.one(write.connection, user_id) is None:
        raise NotThere("user")
    ended = await browser_sessions.delete_all_of(write.connection, user_id, but=but)
    for before in ended:
        await write.record("delete", "session", before.id, told_of_session(before), None)
    return len(ended)


async def _person(holder: Caller, write: Write, user_id: str) -> User:
    """Whom the link signs in; refused where they may do more than who makes it holds now."""
    user = await users.one(write.connection, user_id)
    if user is None:
        raise NotThere("user")
    if not holder.holds_all_of(there(await users.standing(write.connection, user_id))):
        raise NotAllowed("This person may do more than you, so only somebody who may do as much signs them in.")
    return user
