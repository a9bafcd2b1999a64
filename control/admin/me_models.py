"""Bodies of the admin API for who is signed in."""

from pydantic import Field

from control.admin.user_models import User
from control.http.models import Id, Item, Moment, Name, View
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


class ValueOfMine(View):
    """A value of a claim, and what it gives the person here."""

    value: str
    gives: str = Field(description="In words; beginning with `nothing` where it gives nothing.")


class ClaimOfMine(View):
    """A claim of an identity provider about the person."""

    name: str
    values: list[ValueOfMine] = Field(description="Empty where a setting reads this claim and it was not sent.")
    note: str


class SaidOfMe(View):
    """What one identity provider said of the person at their last sign-in."""

    provider_id: Id
    provider: str
    signed_in_at: Moment
    claims: list[ClaimOfMine]
    left_out: int = Field(description="Claims and values that there was no room for.")


class ClaimsOfMe(View):
    """What identity providers said of the person who asks, the last sign-in first."""

    items: list[SaidOfMe]
