"""A pool whose connections die at the n-th statement, as those of a process that is killed there.

dying = DyingPool(pool, 3)            # the third statement is not run any more, and nothing after it
with suppress(Died):
    async with changing(dying, actor) as write: ...
assert dying.statements >= 3          # fewer: it came to its end before
"""

from __future__ import annotations

from typing import Any

from control.store.pool import Pool

_STATEMENTS = {"execute", "executemany", "fetch", "fetchrow", "fetchval", "copy_records_to_table"}


class Died(Exception):
    """The process ended here."""


class DyingPool:
    """Hands out connections of a pool, and counts what is asked of them."""

    def __init__(self, pool: Pool, at: int) -> None:
        self._pool, self._at = pool, at
        self.statements = 0

    async def acquire(self) -> Any:
        return _Dying(await self._pool.acquire(), self)

    async def release(self, connection: Any, timeout: float | None = None) -> None:  # asyncpg's name
        await self._pool.release(connection.real, timeout=timeout)

    def count(self) -> None:
        self.statements += 1
        if self.statements >= self._at:
            raise Died


class _Dying:
    def __init__(self, real: Any, pool: DyingPool) -> None:
        self.real, self._pool = real, pool

    def __getattr__(self, name: str) -> Any:
        if name in _STATEMENTS:
            self._pool.count()
        return getattr(self.real, name)
