"""`/users/{user_id}/links`: links that sign a person in once. No mail is sent: an admin hands the URL over.

Written by `control/changes/people.py`; opened by `control/sign_in/`.
"""

from control.admin.api import Asked, Operations
from control.admin.link_models import Link, MadeLink, NewLink
from control.admin.resource import one_or_404, shown
from control.changes import people
from control.http.links import link_url, new_link_secret
from control.http.models import Id
from control.http.paging import Page, PageQuery, page_of
from control.registry.sign_in_link import told_of_link
from control.store import sign_in_links, users
from control.store.pool import transaction
from core.tokens import digest

operations = Operations("users")


@operations.get("/users/{user_id}/links")
async def list_links(asked: Asked, user_id: Id, query: PageQuery) -> Page[Link]:
    """List the links of a user, the newest first; used ones are shown for a month."""
    async with transaction(asked.pool, readonly=True) as connection:
        one_or_404(await users.one(connection, user_id), "user")
        rows = await sign_in_links.page(connection, user_id, limit=query.fetch, before_id=query.after)
    return page_of(rows, query, lambda link: shown(Link, told_of_link(link)), lambda link: link.id)


@operations.post("/users/{user_id}/links")
async def create_link(asked: Asked, user_id: Id, body: NewLink) -> MadeLink:
    """Make a link that signs a user in once: an invitation or a reset lets them set a password.

    Whoever has the URL is that user, so hand it over by a way that you trust.
    """
    secret = new_link_secret()
    async with asked.changing() as write:
        made = await people.make_link(write, user_id, body.purpose, digest(secret))
    return shown(MadeLink, told_of_link(made), url=link_url(asked.deps.pages_url, secret))


@operations.delete("/users/{user_id}/links/{link_id}", if_match=False)
async def delete_link(asked: Asked, user_id: Id, link_id: Id) -> None:
    """Take back a link: it opens nothing from now on."""
    async with asked.changing() as write:
        await people.delete_link(write, user_id, link_id)
