"""What proxies must hear of, written in the transaction that made it so.

Each writer calls these beside its own SQL; the publisher (`control/publish/`) claims the rows afterwards. Order
matters: lock and change your own rows first, then touch gateways once, last, with all that depend on them.
"""

from collections.abc import Iterable

from control.store.pool import Connection
from core.changes import Kind


async def announce(connection: Connection, kind: Kind, name: str, revision: int = 0) -> None:
    """Say that what proxies hold of `name` is no longer true; `core/changes.py` has the kinds and their names."""
    await connection.execute("select announce($1, $2, $3)", kind, name, revision)


async def touch_gateways(connection: Connection, ids: Iterable[str]) -> None:
    """Raise the revisions of these gateways and announce each; unknown identifiers are passed over."""
    chosen = sorted(set(ids))
    if chosen:
        await connection.execute("select touch_gateways($1)", chosen)


async def gateways_gone(connection: Connection, ids: Iterable[str]) -> None:
    """Announce gateways that this transaction deletes, whoever deletes them, and raise the index's revision."""
    chosen = sorted(set(ids))
    for gateway_id in chosen:
        await announce(connection, "gateway", gateway_id, -1)
    if chosen:
        await connection.execute("update publication set index_revision = index_revision + 1")
