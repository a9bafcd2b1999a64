"""LISTEN on one channel, for as long as the process lives, on a connection of its own.

Called by `control/replica.py` for the publisher. A notification only wakes what would look anyway: one that is lost
with its connection costs half a second, nothing else.
"""

import asyncio
import logging
from collections.abc import Callable
from typing import Final

import asyncpg

log = logging.getLogger(__name__)

_CONNECT_WITHIN_S: Final = 2.0
_ALIVE_EVERY_S: Final = 20.0
_AGAIN_AFTER_S: Final = 2.0
_LOST = (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)
"""The last is asyncpg's word for a connection that was ended in the moment in which something was asked on it."""


async def listen(dsn: str, channel: str, wake: Callable[[], None]) -> None:
    """Call `wake` at each notification on `channel`, until cancelled; connects again when the connection is lost."""
    while True:
        try:
            await _listen_once(dsn, channel, wake)
        except _LOST as fault:
            log.info("not listening for changes", extra={"fault": type(fault).__name__})
        await asyncio.sleep(_AGAIN_AFTER_S)


async def _listen_once(dsn: str, channel: str, wake: Callable[[], None]) -> None:
    connection = await asyncpg.connect(
        dsn,
        timeout=_CONNECT_WITHIN_S,
        command_timeout=_CONNECT_WITHIN_S,
        server_settings={"application_name": "archway-listen"},
    )
    try:
        await connection.add_listener(channel, lambda *_: wake())
        wake()  # for what was announced before
        while True:
            await asyncio.sleep(_ALIVE_EVERY_S)
            await connection.execute("select 1")
    finally:
        connection.terminate()
