"""Bodies of the admin API for the audit trail."""

from typing import Annotated, Any

from pydantic import Field

from control.http.models import Id, Item, Moment
from control.http.paging import PageQuery
from control.store import audit


class AuditLine(Item):
    """One act: who did what to which object, and how it looked before and after."""

    at: Moment
    actor_id: Id | None
    actor: str = Field(description="The actor's name at that time.")
    address: str
    request_id: str
    action: audit.Action
    object_kind: audit.ObjectKind
    object_id: str
    before: dict[str, Any] | None
    after: dict[str, Any] | None


class AuditQuery(PageQuery):
    """Filters of the list of acts in the audit trail."""

    actor_id: Id | None = None
    action: audit.Action | None = None
    object_kind: audit.ObjectKind | None = None
    object_id: Annotated[str | None, Field(max_length=256)] = None
    since: Moment | None = None
    until: Moment | None = None
