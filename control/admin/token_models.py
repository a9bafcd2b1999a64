"""Bodies of the admin API for tokens. The secret of one is in the answer that makes it, and in no other."""

from typing import Annotated

from pydantic import Field

from control.http.models import BothSpellings, Change, Id, Item, Model, Moment, Name, View, Worded
from control.http.paging import NamedPageQuery
from control.registry.token import Kind, Use
from control.registry.token_validity import State

KindWord = Annotated[Kind, BothSpellings()]


class TokenFields(Model):
    """Fields of a token that are set and changed."""

    name: Name
    expires_at: Moment | None = None


class TokenOwner(Model):
    """Whose a token is and what it is for; settled when it is made."""

    use: Annotated[
        Use, Field(description="What it is for: calling `gateways`, or the admin `api`. None is for both.")
    ] = "gateways"
    kind: KindWord = "user"
    user_id: Id | None = None
    team_id: Id | None = None


class NewToken(TokenOwner, TokenFields):
    """A new token. Without `user_id`, a token of kind user is the caller's own."""


class TokenChange(TokenFields, Change):
    """What changes of a token: the fields that are named; `expires_at: null` takes the expiry away."""


class Token(TokenOwner, TokenFields, Item):
    """A token as it is shown, without its secret."""

    owner: str = Field(description="Name of the user or team; empty for the organisation.")
    state: State = Field(description="`disabled`: its user is disabled. Only an active token is accepted.")
    created_by: Id | None
    created_at: Moment
    last_used_at: Moment | None = Field(description="When it was last used, to the minute.")
    revoked_at: Moment | None
    version: int


class MadeToken(Token):
    """A token with its secret, which is shown now and never again."""

    secret: str


class TokenQuery(NamedPageQuery):
    """Filters of the list of tokens."""

    use: Use | None = None
    kind: KindWord | None = None
    user_id: Id | None = None
    team_id: Id | None = None
    created_by: Annotated[Id | None, Field(description="The user who made them, for whomever.")] = None


class Found(Model):
    """A token that somebody found, or its SHA-256: exactly one of the two."""

    token: Annotated[str, Field(max_length=512)] | None = None
    digest: Annotated[str, Worded(r"[0-9a-f]{64}", "must be a SHA-256 in hexadecimal", longest=64)] | None = None


class Identified(View):
    """Which token was found; null: none that the caller may see."""

    well_formed: bool = Field(description="Whether shape and checksum are those of our tokens (true for a digest).")
    token: Token | None
