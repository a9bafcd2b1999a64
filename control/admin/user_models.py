"""Bodies of the admin API for users."""

from typing import Annotated

from pydantic import Field

from control.http.models import Change, Email, Item, Model, Moment, Name, View
from control.http.paging import NamedPageQuery
from control.registry.access import Role


class UserFields(Model):
    """Fields of a user that are set and changed."""

    name: Name
    email: Email
    role: Role = "member"


class NewUser(UserFields):
    """A new user. To sign in they need a link, to call gateways by token a token: an admin makes both."""


class UserChange(UserFields, Change):
    """What changes of a user: the fields that are named."""


class User(UserFields, Item):
    """A user as they are shown, disabled or not."""

    disabled_at: Moment | None
    created_at: Moment
    updated_at: Moment
    version: int


class RevokedTokens(View):
    """How many tokens a user had that are revoked now."""

    revoked: int = Field(description="Tokens that were not revoked before.")


class UserQuery(NamedPageQuery):
    """Filters of the list of users."""

    email: Annotated[str | None, Field(max_length=254)] = None
    role: Role | None = None
