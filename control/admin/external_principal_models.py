"""Bodies of the admin API for who calls with an identity provider's own token and has no account here."""

from typing import Annotated

from pydantic import Field

from control.http.models import MARKS, Id, Item, Moment, Worded
from control.http.paging import PageQuery

_Subject = Annotated[str, Worded(rf"[^{MARKS}]*", "must not hold control characters", longest=255)]


class ExternalPrincipalView(Item):
    """Somebody without an account, whom a provider's tokens have named."""

    provider_id: Id
    issuer: str
    subject: str = Field(description="Who that is, in the issuer's words.")
    name: str = Field(description="As the provider's last token called them; empty where it did not.")
    first_seen_at: Moment
    last_seen_at: Moment = Field(description="When a proxy last asked who bears a token of theirs.")
    disabled_at: Moment | None = Field(description="Since when they are shut out.")
    version: int


class ExternalPrincipalQuery(PageQuery):
    """Filters of the list of who calls without an account."""

    provider: Annotated[Id | None, Field(description="Only whom this identity provider knows.")] = None
    subject: Annotated[_Subject | None, Field(description="Only this subject, byte for byte.")] = None
