"""`/audit`: who did what to which object. Lines are written with each write and never changed."""

from functools import partial
from typing import Annotated, Any

from pydantic import Field

from control.admin.api import Asked, Operations
from control.admin.resource import shown
from control.http.models import Id, Item, Moment
from control.http.paging import Page, PageQuery, page_of
from control.store import audit
from control.store.pool import transaction

operations = Operations("audit")


class AuditLine(Item):
    """One act."""

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
    """Filters."""

    actor_id: Id | None = None
    action: audit.Action | None = None
    object_kind: audit.ObjectKind | None = None
    object_id: Annotated[str | None, Field(max_length=256)] = None
    since: Moment | None = None
    until: Moment | None = None


@operations.get("/audit")
async def list_audit(asked: Asked, query: AuditQuery) -> Page[AuditLine]:
    """List what was done, newest first."""
    async with transaction(asked.pool, readonly=True) as connection:
        rows = await audit.page(
            connection,
            limit=query.fetch,
            before_id=query.after,
            **query.model_dump(exclude={"limit", "cursor"}),
        )
    return page_of(rows, query, partial(shown, AuditLine), lambda row: row["id"])
