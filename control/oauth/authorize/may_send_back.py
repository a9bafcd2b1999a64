"""Whether a client hears of a refusal: whether the person is sent back to it before they agreed to anything.

Anybody can register a website here, and any page can link to us with a request that is refused. To redirect at once
would lend our name to wherever that leads (an open redirector, RFC 9700 section 4.11.2). So a website is sent back to
only where somebody vouches for it: an admin who registered the client, or the person, who let it in there before. For
all others the refusal is a page here. A program on the person's own machine is no website, and always hears of it.
"""

from control.oauth.authorize.request import AuthorizeRequest
from control.public.visitor import visitor_of
from control.registry.redirects import is_this_machine, redirect_host
from control.store import oauth_requests
from control.store.pool import transaction


async def may_send_back(asked: AuthorizeRequest) -> bool:
    """Whether to; only for a redirect that is the client's. Raises StoreUnavailable where nobody can tell."""
    if not asked.redirect_uri:
        return False
    if not asked.redirect_uri.startswith("https://") or is_this_machine(asked.redirect_uri):
        return True
    row, visitor = asked.named_client.row, visitor_of(asked.http)
    if row is not None and row.kind == "registered":
        return True
    if row is None or visitor is None:
        return False
    async with transaction(asked.server.pool, readonly=True) as connection:
        return await oauth_requests.has_let_in(
            connection, visitor.caller.user_id, row.id, redirect_host(asked.redirect_uri)
        )
