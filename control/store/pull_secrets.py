"""SQL that reads image pull secrets. Passwords leave this file sealed only."""

from collections.abc import Collection
from typing import Final

from control.registry.pull_secret import KeptPullSecret
from control.store.pool import Connection
from control.store.rows import made

_SELECT: Final = "select p.* from pull_secrets p "


async def many(connection: Connection, pull_secret_ids: Collection[str]) -> dict[str, KeptPullSecret]:
    """Those with these identifiers, by identifier."""
    rows = await connection.fetch(_SELECT + "where p.id = any($1::uuid[])", list(pull_secret_ids))
    return {row["id"]: made(KeptPullSecret, row) for row in rows}
