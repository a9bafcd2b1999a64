"""Whether the actor is an admin as things stand now, and not when their request came: for what gives access. Or a
person who signed in, for what they make for their own use.

Called by the changes of tokens and of people, so that a token or a session that is being ended, or a person who is
being shut out, leaves nothing behind.
"""

from control.changes.write import Write
from control.registry.actions import Action
from control.store import browser_sessions, tokens, users


async def why_no_admin(write: Write, action: Action, needs_admin: str, owner_id: str | None = None) -> str:
    """Why the actor is no admin whose token holds, '' if they are; `needs_admin` is the usual sentence. An actor
    without a user is this process. Locks the actor and, for as long, the owner of what they make.
    """
    actor = write.actor
    if not actor.may(action):
        return needs_admin
    if actor.user_id and not await users.admin_for_long(write.connection, actor.user_id, owner_id):
        return needs_admin
    return await _why_proof_ended(write)


async def why_not_themselves(write: Write) -> str:
    """Why the actor is nobody who signed in and still may, '' if they are: for what a person makes for their own use
    and a token must not, since it would outlive the token. Locks the actor and their session.
    """
    actor = write.actor
    if not actor.session_id:
        return "Only a person who signed in makes this for themselves."
    if not await users.enabled_for_long(write.connection, actor.user_id):
        return "You were shut out meanwhile; ask an admin."
    return await _why_proof_ended(write)


async def _why_proof_ended(write: Write) -> str:
    actor = write.actor
    if actor.token_id and not await tokens.holds(write.connection, actor.token_id):
        return "The token that you came with was revoked or has expired meanwhile; take another."
    if actor.session_id and not await browser_sessions.holds(write.connection, actor.session_id):
        return "You signed out meanwhile; sign in again."
    return ""
