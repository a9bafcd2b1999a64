"""SQL that reads the audit trail: who did what to which object, from where, and how it looked before and after.

A line is written by `writes/audit.py`, in the transaction of the change, so that neither exists without the other.
`before` and `after` are what the API shows of the object; a secret is in neither, because the API never shows one.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal

from control.store.pool import Connection
from control.store.rows import columns_of
from control.store.statements import listed

ObjectKind = Literal[
    "user", "team", "membership", "role", "role_holder", "token", "entry", "tool", "installation", "gateway",
    "assignment", "sign_in_link", "password", "session", "client_session", "identity_provider", "identity",
    "oauth_client", "grant", "pull_secret", "environment", "egress_preset",
    "external_principal",
]  # fmt: skip
Action = Literal["create", "update", "delete", "revoke", "enable", "disable", "discover", "explain"]


@dataclass(frozen=True, slots=True)
class KeptLine:
    """One line of the audit trail, as it was written. A later version may have written other words."""

    id: str
    at: datetime
    actor_id: str | None
    actor: str
    """Their name at that time."""
    address: str
    request_id: str
    action: str
    object_kind: str
    object_id: str
    before: dict[str, Any] | None
    after: dict[str, Any] | None


_SELECT: Final = f"select {listed(columns_of(KeptLine))} from audit "


async def page(
    connection: Connection,
    *,
    limit: int,
    before_id: str | None,
    actor_id: str | None = None,
    action: Action | None = None,
    object_kind: ObjectKind | None = None,
    object_id: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
) -> list[KeptLine]:
    """Newest first, below `before_id` (identifiers rise with time)."""
    rows = await connection.fetch(
        _SELECT
        + """where ($2::uuid is null or id < $2)
             and ($3::uuid is null or actor_id = $3)
             and ($4::text is null or action = $4)
             and ($5::text is null or object_kind = $5)
             and ($6::text is null or object_id = $6)
             and ($7::timestamptz is null or at >= $7)
             and ($8::timestamptz is null or at < $8)
           order by id desc limit $1""",
        limit, before_id, actor_id, action, object_kind, object_id, since, until,
    )  # fmt: skip
    return [KeptLine(*row) for row in rows]
