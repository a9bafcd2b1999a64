"""Bodies of the admin API for browser sessions."""

from pydantic import Field

from control.http.models import Id, Item, Moment, View
from control.http.paging import PageQuery
from control.registry.browser_session import Method


class Session(Item):
    """A browser in which somebody is signed in. Nothing here lets anybody use it."""

    user_id: Id
    method: Method = Field(description="How they proved who they are.")
    provider_id: Id | None = Field(description="The identity provider that vouched for them.")
    address: str = Field(description="From where it was begun.")
    agent: str = Field(description="The browser, in its own words.")
    created_at: Moment
    last_used_at: Moment = Field(description="To some minutes.")
    expires_at: Moment = Field(description="However much it is used.")


class SessionQuery(PageQuery):
    """Filters of the list of browser sessions."""

    user_id: Id | None = None


class EndedSessions(View):
    """How many browser sessions of a user were ended."""

    ended: int
