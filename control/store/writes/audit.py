"""SQL that writes the audit trail. Called by `control/changes/write.py` alone, in the transaction of the change."""

from collections.abc import Mapping
from typing import Any

from control.registry.access import Caller
from control.store.audit import Action, ObjectKind
from control.store.pool import Connection
from core.identifiers import new_id


async def record(
    connection: Connection,
    caller: Caller,
    action: Action,
    object_kind: ObjectKind,
    object_id: str,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
) -> None:
    """Write one line of the trail. Values are JSON."""
    await connection.execute(
        """insert into audit (id, actor_id, actor, address, request_id, action, object_kind, object_id, before, after)
           values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)""",
        new_id(),
        caller.user_id or None,
        caller.name,
        caller.address,
        caller.request_id,
        action,
        object_kind,
        object_id,
        None if before is None else dict(before),
        None if after is None else dict(after),
    )
