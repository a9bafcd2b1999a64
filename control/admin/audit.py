"""`/audit`: who did what to which object. Lines are written with each write and never changed."""

from functools import partial

from control.admin.api import Asked, Operations
from control.admin.audit_models import AuditLine, AuditQuery
from control.admin.resource import shown
from control.http.paging import Page, page_of
from control.store import audit
from control.store.pool import transaction

operations = Operations("audit")


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
    return page_of(rows, query, partial(shown, AuditLine), lambda line: line.id)
