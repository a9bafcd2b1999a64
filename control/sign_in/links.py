"""Links that sign a person in once: how one is looked up by the secret in its URL (`control/http/links.py`).

Made by an admin through the API, the command line or a page (`control/changes/people.py` writes the row); opened by
`door.py`. A look at the page changes nothing, since programs look at links too (mail scanners, previews): the form
on it uses the link up.
"""

from control.http.cookies import may_be_secret
from control.registry.sign_in_link import SignInLink
from control.store import sign_in_links
from control.store.pool import Connection
from core.tokens import digest


async def opened(connection: Connection, secret: str) -> SignInLink | None:
    """The link with this secret, if it is open and its person not disabled."""
    if not may_be_secret(secret):
        return None
    return await sign_in_links.open_by_digest(connection, digest(secret))
