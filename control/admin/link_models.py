"""Bodies of the admin API for links that sign a person in. The URL of one is in the answer that makes it alone."""

from pydantic import Field

from control.http.models import Id, Item, Model, Moment
from control.registry.sign_in_link import Purpose, State


class LinkPurpose(Model):
    """What a link is for; settled when it is made."""

    purpose: Purpose = Field(
        default="invitation",
        description="To set a first password (`invitation`), another one (`reset`), or, for oneself, to sign in.",
    )


class NewLink(LinkPurpose):
    """A new link that signs a person in once."""


class Link(LinkPurpose, Item):
    """A link as it is shown, without its secret."""

    user_id: Id
    state: State = Field(description="Only an open link lets its person in.")
    created_by: Id | None
    created_at: Moment
    expires_at: Moment
    used_at: Moment | None


class MadeLink(Link):
    """A link with its URL, which is shown now and never again: whoever has it is the person."""

    url: str
