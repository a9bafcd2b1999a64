"""`/tokens`: bearer tokens of a user, a team or the organisation. The secret is in the answer to POST, once.

Users manage their own, a team's admins the team's, admins all. Who is signed in with a token that ends makes none
that outlives it, and puts off no token's end beyond it, that one's included: else its end would mean nothing to a
thief.
"""

from datetime import UTC, datetime
from typing import Annotated, Literal

from pydantic import Field

from control.admin.api import Asked, Operations
from control.admin.trail import record
from control.http.models import Change, Id, Model, Moment, Name, Worded
from control.http.paging import Page, PageQuery, page_of
from control.http.problems import conflict, forbidden, invalid, not_found
from control.registry.access import Caller
from control.store import tokens
from control.store.pool import Connection, Row, transaction
from core.tokens import digest, new_token, well_formed

operations = Operations("tokens")
Kind = Literal["user", "team", "organisation"]


class Token(Model):
    """A token, without its secret."""

    id: Id
    name: Name
    kind: Kind
    user_id: Id | None
    team_id: Id | None
    owner: str = Field(description="Name of the user or team; empty for the organisation.")
    state: Literal["active", "revoked", "expired", "disabled"] = Field(
        description="`disabled`: its user is; only an active token is taken."
    )
    created_by: Id | None
    created_at: Moment
    expires_at: Moment | None
    last_used_at: Moment | None = Field(description="To the minute.")
    revoked_at: Moment | None
    version: int


class NewToken(Model):
    """A token to make. Without `user_id`, a token of kind user is the caller's own."""

    name: Name
    kind: Kind = "user"
    user_id: Id | None = None
    team_id: Id | None = None
    expires_at: Moment | None = None


class MadeToken(Token):
    """The token with its secret, which is shown now and never again."""

    secret: str


class TokenChange(Change):
    """What is named changes; `expires_at: null` takes the expiry away."""

    name: Name = ""
    expires_at: Moment | None = None


class TokenQuery(PageQuery):
    """Filters."""

    kind: Kind | None = None
    user_id: Id | None = None
    team_id: Id | None = None


class Found(Model):
    """A token that somebody found, or its SHA-256: exactly one of the two."""

    token: Annotated[str, Field(max_length=512)] | None = None
    digest: Annotated[str, Worded(r"[0-9a-f]{64}", "must be a SHA-256 in hexadecimal", longest=64)] | None = None


class Identified(Model):
    """Which token it is; null: none that the caller may see."""

    well_formed: bool = Field(description="Shape and checksum are those of our tokens (true for a digest).")
    token: Token | None


def shown(row: Row) -> Token:
    """The row as the API shows it."""
    state = tokens.refusal_of(row) or "active"
    return Token.model_construct(**{name: row[name] for name in Token.model_fields if name != "state"}, state=state)


def manages(caller: Caller, row: Row) -> bool:
    """Whether the caller may see, change and revoke this token."""
    if caller.is_admin:
        return True
    if row["kind"] == "team":
        return caller.administers(row["team_id"])
    return row["kind"] == "user" and caller.owns(row["user_id"])


@operations.get("/tokens")
async def list_tokens(asked: Asked, query: TokenQuery) -> Page[Token]:
    """List tokens, oldest first: one's own and those of teams that one manages; all to an admin."""
    caller = asked.caller
    async with transaction(asked.pool, readonly=True) as connection:
        rows = await tokens.page(
            connection,
            limit=query.fetch,
            after=query.after,
            everything=caller.is_admin,
            of_user=caller.user_id,
            of_teams=[team for team in caller.teams if caller.administers(team)],
            **query.model_dump(exclude={"limit", "cursor"}),
        )
    return page_of(rows, query, shown, lambda row: row["id"])


@operations.post("/tokens")
async def create_token(asked: Asked, body: NewToken) -> MadeToken:
    """Make a token. Its secret is in this answer and nowhere else: only a digest is kept."""
    user_id, team_id = _owner(asked.caller, body)
    if body.expires_at is not None:
        _refuse_past(body.expires_at)
    _refuse_outliving(asked.caller, body.expires_at)
    secret = new_token()
    async with transaction(asked.pool) as connection:
        row = await tokens.create(
            connection,
            digest=digest(secret),
            name=body.name,
            kind=body.kind,
            user_id=user_id,
            team_id=team_id,
            created_by=asked.caller.user_id,
            expires_at=body.expires_at,
        )
        await record(connection, asked, "create", "token", row["id"], None, shown(row))
    return MadeToken.model_construct(**dict(shown(row)), secret=secret)


@operations.post("/tokens/identify", status=200)
async def identify_token(asked: Asked, body: Found) -> Identified:
    """Tell which token a found one is: whose, and whether it is still taken."""
    if (body.token is None) == (body.digest is None):
        raise invalid("token", "is needed, or `digest`, and not both")
    if body.token is not None and well_formed(body.token) is None:
        return Identified(well_formed=False, token=None)
    async with transaction(asked.pool, readonly=True) as connection:
        row = await tokens.by_digest(connection, body.digest or digest(body.token or ""))
    if row is None or not manages(asked.caller, row):
        return Identified(well_formed=True, token=None)
    return Identified.model_construct(well_formed=True, token=shown(row))


@operations.get("/tokens/{token_id}")
async def get_token(asked: Asked, token_id: Id) -> Token:
    """Show a token; never its secret."""
    async with transaction(asked.pool, readonly=True) as connection:
        row = await tokens.one(connection, token_id)
    if row is None or not manages(asked.caller, row):
        raise not_found("token")
    return shown(row)


@operations.patch("/tokens/{token_id}")
async def change_token(asked: Asked, token_id: Id, body: TokenChange) -> Token:
    """Rename a token or change its expiry. One that is revoked stays so."""
    changes = body.model_dump(exclude_unset=True)
    async with transaction(asked.pool) as connection:
        row = await _locked(connection, asked, token_id)
        asked.refuse_stale(row["version"])
        if row["revoked_at"] is not None:
            raise conflict("The token is revoked; make a new one.")
        if body.expires_at is not None:
            _refuse_past(body.expires_at)
        if "expires_at" in changes and _puts_off(row["expires_at"], body.expires_at):
            _refuse_outliving(asked.caller, body.expires_at)
        token = shown(await tokens.update(connection, row, changes))
        await record(connection, asked, "update", "token", token_id, shown(row), token)
    return token


@operations.post("/tokens/{token_id}/revoke", status=200)
async def revoke_token(asked: Asked, token_id: Id) -> Token:
    """Revoke a token: proxies refuse it within a second. Revoking twice is no error."""
    async with transaction(asked.pool) as connection:
        row = await _locked(connection, asked, token_id)
        if row["revoked_at"] is not None:
            return shown(row)
        token = shown(await tokens.revoke(connection, row))
        await record(connection, asked, "revoke", "token", token_id, shown(row), token)
    return token


@operations.delete("/tokens/{token_id}")
async def delete_token(asked: Asked, token_id: Id) -> None:
    """Revoke a token and take it off the lists."""
    async with transaction(asked.pool) as connection:
        row = await _locked(connection, asked, token_id)
        asked.refuse_stale(row["version"])
        await tokens.delete(connection, row)
        await record(connection, asked, "delete", "token", token_id, shown(row), None)


def _owner(caller: Caller, body: NewToken) -> tuple[str | None, str | None]:
    """User and team of a new token; raises Problem where they do not fit its kind or are not the caller's to give."""
    if body.user_id is not None and body.kind != "user":
        raise invalid("user_id", "goes with the kind user only; leave it out")
    if body.team_id is not None and body.kind != "team":
        raise invalid("team_id", "goes with the kind team only; leave it out")
    if body.kind == "team":
        if body.team_id is None:
            raise invalid("team_id", "is needed for a token of a team")
        if not caller.administers(body.team_id):
            raise forbidden("A token of a team needs an admin of the team.")
        return None, body.team_id
    if body.kind == "organisation":
        if not caller.is_admin:
            raise forbidden("A token of the organisation needs an admin.")
        return None, None
    if not caller.owns(body.user_id or caller.user_id):
        raise forbidden("A token of another user needs an admin.")
    return body.user_id or caller.user_id, None


def _refuse_past(moment: datetime) -> None:
    if moment <= datetime.now(UTC):
        raise invalid("expires_at", "is in the past; give a later time, or null for a token that does not expire")


def _puts_off(before: datetime | None, after: datetime | None) -> bool:
    return before is not None and (after is None or after > before)


def _refuse_outliving(caller: Caller, moment: datetime | None) -> None:
    if not caller.may_grant_until(moment):
        assert caller.token_expires_at is not None  # else anything may be granted
        ends = caller.token_expires_at.astimezone(UTC).isoformat(timespec="seconds")
        raise invalid(
            "expires_at",
            f"must not be later than {ends}, when the token that you are signed in with ends; give an earlier time, "
            "or sign in with a token that does not expire",
        )


async def _locked(connection: Connection, asked: Asked, token_id: str) -> Row:
    row = await tokens.one(connection, token_id, lock=True)
    if row is None or not manages(asked.caller, row):
        raise not_found("token")
    return row
