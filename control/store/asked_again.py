"""SQL that takes the installations whose servers are to be asked again. Marked in `writes/installations.py`."""

from control.store.pool import Connection


async def claim(connection: Connection, limit: int) -> list[str]:
    """Some that are marked, the oldest first, for whoever asks them now: nobody else gets them."""
    rows = await connection.fetch(
        """delete from asked_again where installation_id in (
               select installation_id from asked_again order by since, installation_id limit $1
               for update skip locked)
           returning installation_id""",
        limit,
    )
    return [row["installation_id"] for row in rows]
