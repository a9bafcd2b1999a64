"""Bodies of the admin API for roles, who holds them, and the permissions that there are."""

from typing import Annotated

from pydantic import Field

from control.http.models import Change, Description, Email, Id, Item, Model, Moment, Name, Query, View
from control.http.paging import NamedPageQuery, Page
from control.registry.actions import ACTIONS, Action, Role


class RoleFields(Model):
    """Fields of a role that are set, changed and shown as they are."""

    name: Name
    description: Description = ""


class GivenRole(RoleFields):
    """A role as it is set and changed: it holds what this version knows."""

    permissions: Annotated[list[Action], Field(max_length=len(ACTIONS))] = Field(
        default_factory=list, description="What it holds; `GET /permissions` lists all."
    )


class NewRole(GivenRole):
    """A new role, which nobody holds yet."""


class RoleChange(GivenRole, Change):
    """What changes of a role: the fields that are named; permissions are replaced whole."""


class RoleView(RoleFields, Item):
    """A role as it is shown, with its version."""

    permissions: list[str] = Field(description="What it holds; what only a later version knows is not held.")
    created_at: Moment
    updated_at: Moment
    version: int = Field(description="Rises when it is given or taken too.")


class RoleQuery(NamedPageQuery):
    """Filters of the list of roles."""

    name: Annotated[str | None, Field(max_length=128)] = None


class Holding(Model):
    """For what somebody is to hold a role."""

    team_id: Id | None = Field(None, description="For this team; null: for the whole organisation.")


class HoldingQuery(Query):
    """For what somebody holds a role."""

    team_id: Annotated[
        Id | None, Field(description="As it is held for this team; left out: for the whole organisation.")
    ] = None


class HolderView(View):
    """A person who holds a role that was made here, and for what."""

    role_id: Id
    user_id: Id
    name: Name
    email: Email
    team_id: Id | None = Field(description="For this team; null: for the whole organisation.")
    team: Name | None
    created_at: Moment


class Holders(Page[HolderView]):
    """A page of those who hold a role, with the role's version."""

    version: int


class PermissionView(View):
    """A permission: what it lets somebody do, and who holds it without a role that was made here."""

    name: Action
    meaning: str
    own: bool = Field(description="Everybody holds it for what is their own.")
    shown: bool = Field(description="Everybody holds it for what is shown to them.")
    team: Role | None = Field(description="The least role in a team that holds it for that team; null: none can.")
    role: Role = Field(description="The least role in the organisation that holds it for everything.")
    reserved: bool = Field(description="No role that is made here may hold it.")
    held: bool = Field(description="Whether the caller holds it for everything.")


class Permissions(View):
    """All permissions, in the order of their page."""

    items: list[PermissionView]
