"""Bodies of the admin API for who is signed in."""

from pydantic import Field

from control.admin.user_models import User
from control.http.models import Id, Item, Name, View
from control.registry.actions import Action, Role


class TeamOfMine(Item):
    """A team of the caller, with the role there."""

    name: Name
    role: Role


class Me(View):
    """Who is signed in, with their teams."""

    user: User
    teams: list[TeamOfMine]
    permissions: list[Action] = Field(description="What they hold for everything, by their role and those given.")
    team_permissions: dict[Id, list[Action]] = Field(description="What they hold beside that, by team.")
    token_id: Id | None
    """The token they came with; null for the run's own."""
