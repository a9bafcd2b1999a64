"""Connections to PostgreSQL, transactions with deadlines, and the two ways in which the store fails.

Called by every part of control that reads or writes. Whatever asyncpg raises leaves here as `StoreUnavailable`
(nobody knows more until the database is back) or `StoreConflict` (the rows say no), so no caller needs to know the
driver. Identifiers (`uuid`) are text in their one form, `jsonb` is plain Python, on every connection.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import Any, Final, Literal, TypeAlias

import asyncpg
import orjson

from core.our_version import VERSION

log = logging.getLogger(__name__)

Connection: TypeAlias = asyncpg.Connection
Pool: TypeAlias = asyncpg.Pool
Row: TypeAlias = asyncpg.Record
Isolation = Literal["read_committed", "repeatable_read", "serializable"]

BEGIN_WITHIN_S: Final = 1.2
"""Getting a connection and a first answer on it: an admin request learns within 1.5 s that the database is away."""
STATEMENT_S: Final = 10.0
"""The longest statement of ours, a page of a list, takes milliseconds; beyond this the database is ill."""
COMMIT_WITHIN_S: Final = 5.0
_JSONB_VERSION: Final = b"\x01"
"""What PostgreSQL puts before `jsonb` in its binary form."""
APPLICATION: Final = f"archway-control {VERSION}"
"""What PostgreSQL shows of our connections: `archway migrate --contract` sees by it who is connected."""
_SERVER_SETTINGS: Final = {
    "application_name": APPLICATION,
    "statement_timeout": "15000",
    "lock_timeout": "5000",
    "idle_in_transaction_session_timeout": "30000",
    "timezone": "UTC",
}
_AWAY = (
    OSError,
    TimeoutError,
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,  # shutting down, starting up, statement cancelled
    asyncpg.InsufficientResourcesError,  # too many connections, disk full
    asyncpg.LockNotAvailableError,
    asyncpg.ReadOnlySQLTransactionError,  # a standby after a failover
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.InvalidCatalogNameError,
    asyncpg.InternalClientError,  # a broken conversation: the connection is not to be used again
)
_CLASH = (
    asyncpg.IntegrityConstraintViolationError,
    asyncpg.SerializationError,
    asyncpg.DeadlockDetectedError,
)


class StoreUnavailable(Exception):
    """The database cannot be reached or does not answer in time; the same request may work later."""


class StoreConflict(Exception):
    """The rows do not allow it: `constraint` is the violated one's name, '' when another writer was in the way."""

    def __init__(self, constraint: str) -> None:
        super().__init__(constraint or "another writer was in the way")
        self.constraint = constraint


async def open_pool(dsn: str, *, smallest: int = 1, largest: int = 10, plans_once: bool = False) -> Pool:
    """A pool of connections; raises StoreUnavailable when the first cannot be made within a second.

    `plans_once`: each connection plans a statement once, whatever is asked with it. To plan one that takes a list
    costs PostgreSQL more than to run it, and it would do so each time.
    """
    settings = _SERVER_SETTINGS | ({"plan_cache_mode": "force_generic_plan"} if plans_once else {})
    try:
        return await asyncpg.create_pool(
            dsn,
            min_size=smallest,
            max_size=largest,
            timeout=BEGIN_WITHIN_S,
            command_timeout=STATEMENT_S,
            max_inactive_connection_lifetime=300.0,
            server_settings=settings,
            init=prepare_connection,
        )
    except _AWAY as error:
        raise _unavailable(error) from error


async def close_pool(pool: Pool, grace: float = 3.0) -> None:
    """Close it; after `grace` seconds without those who did not give their connection back."""
    try:
        async with asyncio.timeout(grace):
            await pool.close()
    except (TimeoutError, *_AWAY):
        pool.terminate()


async def prepare_connection(connection: Connection) -> None:
    """Teach a connection our two types; for those who open one outside the pool (LISTEN, migrations)."""
    # In binary form, the only one that COPY of rows takes.
    await connection.set_type_codec(
        "jsonb", schema="pg_catalog", encoder=_to_json, decoder=_from_json, format="binary"
    )
    await connection.set_type_codec(
        "uuid", schema="pg_catalog", encoder=_to_uuid, decoder=_from_uuid, format="binary"
    )


@asynccontextmanager
async def transaction(
    pool: Pool, *, readonly: bool = False, isolation: Isolation | None = None, begin_within: float = BEGIN_WITHIN_S
) -> AsyncIterator[Connection]:
    """One transaction on one connection; only SQL belongs into the block.

    Commits at the end of the block, rolls back on an exception. Raises StoreUnavailable or StoreConflict, for the
    commit too: then nothing was written, except after a lost answer to COMMIT, which nobody can tell.
    """
    with _translated():
        connection, open_transaction = await _begin(pool, readonly, isolation, begin_within)
        try:
            yield connection
        except BaseException:
            await _roll_back(connection, open_transaction)
            raise
        else:
            async with asyncio.timeout(COMMIT_WITHIN_S):
                await open_transaction.commit()
        finally:
            await _give_back(pool, connection)


async def _begin(pool: Pool, readonly: bool, isolation: Isolation | None, within: float) -> tuple[Connection, Any]:
    connection: Connection | None = None
    try:
        async with asyncio.timeout(within):
            connection = await pool.acquire()
            opened = connection.transaction(readonly=readonly, isolation=isolation)
            await opened.start()
            return connection, opened
    except BaseException:
        if connection is not None:
            _terminate(connection)
            await _give_back(pool, connection)
        raise


async def _roll_back(connection: Connection, opened: Any) -> None:
    try:
        async with asyncio.timeout(1.0):
            await opened.rollback()
    except (asyncpg.PostgresError, asyncpg.InterfaceError, *_AWAY):
        _terminate(connection)  # the server rolls back what loses its connection


def _terminate(connection: Connection) -> None:
    with suppress(asyncpg.InterfaceError):  # lost already: the pool has taken it back by itself
        connection.terminate()


async def _give_back(pool: Pool, connection: Connection) -> None:
    try:
        await pool.release(connection, timeout=1.0)
    except (asyncpg.PostgresError, asyncpg.InterfaceError, *_AWAY):
        _terminate(connection)


@contextmanager
def _translated() -> Iterator[None]:
    """Turns the driver's exceptions into the store's two."""
    try:
        yield
    except _CLASH as error:
        raise StoreConflict(error.constraint_name or "") from error
    except (asyncpg.InterfaceError, *_AWAY) as error:
        if isinstance(error, _AWAY) or _is_closed(error):
            raise _unavailable(error) from error
        raise


def _is_closed(error: BaseException) -> bool:
    # asyncpg tells a lost connection and a closing pool from our own mistakes only by the sentence.
    return "clos" in str(error) or "released back to the pool" in str(error)


def _unavailable(error: BaseException) -> StoreUnavailable:
    log.warning("database unavailable", extra={"fault": type(error).__name__})
    return StoreUnavailable(f"the database is away ({type(error).__name__})")


def _to_json(value: Any) -> bytes:
    return _JSONB_VERSION + orjson.dumps(value)


def _from_json(sent: bytes) -> Any:
    return orjson.loads(sent[1:])


def _to_uuid(text: str) -> bytes:
    return bytes.fromhex(text.replace("-", ""))  # PostgreSQL refuses what is not of its length


def _from_uuid(sent: bytes) -> str:
    digits = sent.hex()
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"
