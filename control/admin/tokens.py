"""`/tokens`: bearer tokens of a user, a team or the organisation. The secret is in the answer to POST, once.

Admins make them. Users see, rename, shorten and revoke their own, a team's admins the team's, admins all. Changes are
`control/changes/tokens.py`'s. All of a user's are revoked in `users.py`.
"""

from control.admin.api import Asked, Operations
from control.admin.resource import shown
from control.admin.token_models import Found, Identified, MadeToken, NewToken, Token, TokenChange, TokenQuery
from control.changes import tokens as changes
from control.http.models import Id
from control.http.paging import Page, page_of, place_key
from control.http.problems import invalid, not_found
from control.registry import token
from control.store import tokens
from control.store.pool import transaction
from core.tokens import digest, well_formed

operations = Operations("tokens")


def _shown(found: token.Token) -> Token:
    return shown(Token, token.told_of_token(found))


@operations.get("/tokens")
async def list_tokens(asked: Asked, query: TokenQuery) -> Page[Token]:
    """List tokens by name: one's own and those of teams that one manages; all to an admin."""
    caller = asked.caller
    async with transaction(asked.pool, readonly=True) as connection:
        rows = await tokens.page(
            connection,
            limit=query.fetch,
            after=query.place,
            everything=caller.may("token:read"),
            of_user=caller.user_id,
            of_teams=caller.teams_with("token:read"),
            **query.model_dump(exclude={"limit", "cursor"}),
        )
    return page_of(rows, query, _shown, lambda one: place_key(one.name, one.id))


@operations.post("/tokens")
async def create_token(asked: Asked, body: NewToken) -> MadeToken:
    """Make a token, for calling gateways unless `use` says `api`. Only an admin's API token makes tokens.

    Its secret is in this answer and nowhere else: only a digest is kept.
    """
    async with asked.changing() as write:
        made, secret = await changes.create(write, changes.WantedToken(**body.model_dump()))
    return shown(MadeToken, token.told_of_token(made), secret=secret)


@operations.post("/tokens/identify", status=200)
async def identify_token(asked: Asked, body: Found) -> Identified:
    """Say to whom a found token belongs, and whether it is still accepted."""
    if (body.token is None) == (body.digest is None):
        # Not "is required": programs that read problems take that for a rule about this field alone.
        raise invalid("token", "or `digest` must be given, one of the two")
    if body.token is not None and well_formed(body.token) is None:
        return Identified(well_formed=False, token=None)
    async with transaction(asked.pool, readonly=True) as connection:
        found = await tokens.by_digest(connection, body.digest or digest(body.token or ""))
    if found is None or not asked.caller.may_for("token:read", found.owner):
        return Identified(well_formed=True, token=None)
    return Identified.model_construct(well_formed=True, token=_shown(found))


@operations.get("/tokens/{token_id}")
async def get_token(asked: Asked, token_id: Id) -> Token:
    """Show a token; never its secret."""
    async with transaction(asked.pool, readonly=True) as connection:
        found = await tokens.one(connection, token_id)
    if found is None or not asked.caller.may_for("token:read", found.owner):
        raise not_found("token")
    return _shown(found)


@operations.patch("/tokens/{token_id}")
async def change_token(asked: Asked, token_id: Id, body: TokenChange) -> Token:
    """Rename a token or change its expiry; a later end needs an admin. One that is revoked stays so.

    What it is for never changes: make another.
    """
    async with asked.changing() as write:
        return _shown(await changes.change(write, token_id, body.changes(), asked.version))


@operations.post("/tokens/{token_id}/revoke", status=200)
async def revoke_token(asked: Asked, token_id: Id) -> Token:
    """Revoke a token: proxies refuse it within a second. Revoking twice is no error."""
    async with asked.changing() as write:
        return _shown(await changes.revoke(write, token_id))


@operations.delete("/tokens/{token_id}")
async def delete_token(asked: Asked, token_id: Id) -> None:
    """Revoke a token and remove it from the lists."""
    async with asked.changing() as write:
        await changes.delete(write, token_id, asked.version)
