"""Whether the actor is an admin as things stand now, and not when their request came: for what gives access.

Called by the changes of tokens and of people, so that a token which is being revoked, or an admin who is being shut
out, leaves nothing behind.
"""

from control.changes.write import Write
from control.registry.actions import Action
from control.store import tokens, users


async def why_no_admin(write: Write, action: Action, needs_admin: str, owner_id: str | None = None) -> str:
    """Why the actor is no admin whose token holds, '' if they are; `needs_admin` is the usual sentence. An actor
    without a user is this process. Locks the actor and, for as long, the owner of what they make.
    """
    actor = write.actor
    if not actor.may(action):
        return needs_admin
    if actor.user_id and not await users.admin_for_long(write.connection, actor.user_id, owner_id):
        return needs_admin
    if actor.token_id and not await tokens.holds(write.connection, actor.token_id):
        return "The token that you came with was revoked or has expired meanwhile; take another."
    return ""
