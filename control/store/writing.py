"""A transaction that knows whether it wrote, and what it still owes for that.

The functions of `control/store/writes/` take a `Writing` where those that read take a plain connection. The changes
of `control/changes/` make one, their `Write`, and clear what is owed by an audit record and by an announcement.
"""

from typing import Any

from control.store.pool import Connection, Row


class Writing:
    """One transaction in which rows of the registry are written; each statement owes a record and an announcement."""

    __slots__ = ("connection", "unannounced", "unrecorded")

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        """For reading, and for locks."""
        self.unrecorded = False
        """Rows were written since the last audit record."""
        self.unannounced = False
        """Rows were written since it was last said what proxies must hear of it."""

    async def execute(self, statement: str, *values: Any) -> None:
        """Run a statement that writes."""
        self._owes()
        await self.connection.execute(statement, *values)

    async def execute_many(self, statement: str, rows: Any) -> None:
        """Run a statement that writes, once for each row of values."""
        self._owes()
        await self.connection.executemany(statement, rows)

    async def fetch_row(self, statement: str, *values: Any) -> Row:
        """Run a statement that writes and returns its row."""
        self._owes()
        return await self.connection.fetchrow(statement, *values)

    def _owes(self) -> None:
        self.unrecorded = self.unannounced = True
