"""Writes the audit line of an operation: what the API showed of an object before, and what it shows after.

Called by each writing operation inside its transaction. Models never hold a secret that lists would not show, so
neither does the trail; an answer that shows one once (a new token) is recorded by its model without it.
"""

from control.admin.api import Asked
from control.http.models import Model
from control.store import audit
from control.store.pool import Connection


async def record(
    connection: Connection,
    asked: Asked,
    action: audit.Action,
    object_kind: audit.ObjectKind,
    object_id: str,
    before: Model | None = None,
    after: Model | None = None,
) -> None:
    """One line."""
    await audit.record(
        connection, asked.caller, action, object_kind, object_id,
        None if before is None else before.model_dump(mode="json"),
        None if after is None else after.model_dump(mode="json"),
    )  # fmt: skip
