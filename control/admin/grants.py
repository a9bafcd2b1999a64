"""`/grants`: what people allowed OAuth clients, to see and to take back; one's own, or everybody's.

Made on the consent page; ended by `control/changes/oauth_grants.py`.
"""

from control.admin.api import Asked, Operations
from control.admin.oauth_client_models import GrantQuery, GrantView, Revoked
from control.admin.resource import shown
from control.changes import oauth_grants as changes
from control.http.models import Id
from control.http.paging import Page, page_of, place_key
from control.http.problems import not_found
from control.registry.oauth_grant import Grant, told_of_grant
from control.registry.owner import Organisation, Person
from control.store import oauth_grants
from control.store.pool import transaction

operations = Operations("grants")


@operations.get("/grants")
async def list_grants(asked: Asked, query: GrantQuery) -> Page[GrantView]:
    """List the grants that hold, by the client's name: one's own; all to an admin."""
    async with transaction(asked.pool, readonly=True) as connection:
        rows = await oauth_grants.page(
            connection,
            limit=query.fetch,
            after=query.place,
            everything=asked.caller.may("grant:read"),
            of_user=asked.caller.user_id,
            user_id=query.user_id,
            client_id=query.client_id,
            gateway_id=query.gateway_id,
        )
    return page_of(rows, query, _view, lambda one: place_key(one.client_name, one.id))


@operations.get("/grants/{grant_id}")
async def get_grant(asked: Asked, grant_id: Id) -> GrantView:
    """Show a grant, also one that was taken back lately."""
    async with transaction(asked.pool, readonly=True) as connection:
        grant = await oauth_grants.one(connection, grant_id)
    if grant is None or not asked.caller.may_for("grant:read", owner_of_grant(grant)):
        raise not_found("grant")
    return _view(grant)


@operations.post("/grants/{grant_id}/revoke", status=200)
async def revoke_grant(asked: Asked, grant_id: Id) -> GrantView:
    """Take a grant back: its tokens are refused within a second, and its person is asked again."""
    async with asked.changing() as write:
        return _view(await changes.revoke(write, grant_id))


@operations.post("/users/{user_id}/revoke-grants", status=200)
async def revoke_grants_of_user(asked: Asked, user_id: Id) -> Revoked:
    """Take back all that a person allowed clients; how many grants ended."""
    async with asked.changing() as write:
        return Revoked(revoked=await changes.revoke_all_of(write, user_id=user_id))


def owner_of_grant(grant: Grant) -> Person | Organisation:
    """Whose a grant is: its person's, or, where a client acts by itself, the organisation's."""
    return Organisation() if grant.user_id is None else Person(grant.user_id)


def _view(grant: Grant) -> GrantView:
    return shown(GrantView, told_of_grant(grant))
