"""What people allowed OAuth clients, as pages of a person and of a client show it, and take it back."""

from collections.abc import Iterable
from typing import Any, Final

from aiohttp import web

from control.changes import oauth_grants as changes
from control.console.visit import Visit
from control.registry.oauth_grant import Grant, told_of_grant

MOST_SHOWN: Final = 200


async def withdraw(visit: Visit) -> web.Response:
    """Take back what a client was allowed, and go back to the page of its person or of the client."""
    await visit.form()
    async with visit.changing() as write:
        ended = await changes.revoke(write, visit.named("grant_id"))
    to_person = visit.request.query.get("back") == "person" and ended.user_id is not None
    return visit.go(
        f"/people/{ended.user_id}" if to_person else f"/oauth-clients/{ended.client_pk}", "client-withdrawn"
    )


def rows_of(grants: Iterable[Grant]) -> list[dict[str, Any]]:
    """What the rows of `oauth_clients/grant_rows.html` show of each grant."""
    return [told_of_grant(one) | {"client_pk": one.client_pk} for one in grants]
