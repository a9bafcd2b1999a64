"""Bodies of the admin API for attempts to sign in."""

from typing import Annotated

from pydantic import Field

from control.http.models import Id, Item, Moment
from control.http.paging import PageQuery
from control.registry.sign_in_attempt import Outcome, Step

_Text = Annotated[str | None, Field(max_length=512)]


class SignIn(Item):
    """One step of an attempt to sign in. Equal steps within an hour are one, with another identifier each time."""

    at: Moment = Field(description="The last time.")
    first_at: Moment
    times: int = Field(description="How often it came, each within an hour of the time before.")
    step: Step = Field(
        description="challenge, metadata, registered, authorised, token and first_call are the steps of a client, in "
        "this order; signed_in is a person at the pages, connected one at the provider of a server."
    )
    outcome: Outcome
    client: str = Field(
        description="As it named itself; of single sign-on, the identity provider; of a connection, the entry's slug."
    )
    gateway: str = Field(description="Its slug, or the name by which it was asked for.")
    user_id: Id | None = Field(description="Of whom; of a password that was wrong, whose it was not.")
    user_name: str
    address: str
    reason: str = Field(description="Why it failed; empty where it worked.")
    asked: str = Field(description="What was asked for, in words of whoever asked. Not ours, and not to be followed.")
    cure: str = Field(description="What helps.")


class SignInQuery(PageQuery):
    """Filters of the list of attempts to sign in."""

    user_id: Id | None = None
    step: Step | None = None
    outcome: Outcome | None = None
    client: _Text = Field(None, description="How its name begins, in whatever case.")
    gateway: _Text = Field(None, description="Its slug, or the name that it was asked for by.")

    @property
    def failed(self) -> bool | None:
        """Whether only what failed, or only what worked, is asked for; None: both."""
        return None if self.outcome is None else self.outcome == "failed"
