"""Bodies of the admin API for teams and their members."""

from typing import Annotated

from pydantic import Field

from control.http.models import Change, Description, Email, Id, Item, Model, Moment, Name, View
from control.http.paging import NamedPageQuery, Page
from control.registry.access import Role


class TeamFields(Model):
    """Fields of a team that are set and changed."""

    name: Name
    description: Description = ""


class NewTeam(TeamFields):
    """A new team, which has no members yet."""


class TeamChange(TeamFields, Change):
    """What changes of a team: the fields that are named."""


class TeamView(TeamFields, Item):
    """A team as it is shown, with its version."""

    created_at: Moment
    updated_at: Moment
    version: int = Field(description="Rises with changes of members too.")


class TeamQuery(NamedPageQuery):
    """Filters of the list of teams."""

    name: Annotated[str | None, Field(max_length=128)] = None


class Membership(Model):
    """The role of a user in a team: its editors manage installations, its admins members and tokens too."""

    role: Role = "member"


class Member(View):
    """A user in a team, with their role there."""

    team_id: Id
    user_id: Id
    name: Name
    email: Email
    role: Role
    created_at: Moment


class Members(Page[Member]):
    """A page of a team's members, with the team's version."""

    version: int
