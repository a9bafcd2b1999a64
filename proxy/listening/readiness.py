"""A worker tells its supervisor that it is ready: one byte into a pipe that it inherited (`ARCHWAY_READY_FD`).

Ready means what `/ready` means: it accepts callers, and has compared with the change stream or found it away. Until
then the worker that it replaces stays (archway/supervisor/crew.py).
"""

import asyncio
import contextlib
import os
from collections.abc import Callable

_LOOK_S = 0.02


async def tell_ready(descriptor: int, is_ready: Callable[[], bool]) -> None:
    """Write the byte once `is_ready()`, and close the pipe; nothing where there is none."""
    if descriptor < 0:
        return
    try:
        while not is_ready():  # noqa: ASYNC110 - it depends on several parts, none of which knows of this
            await asyncio.sleep(_LOOK_S)
        with contextlib.suppress(OSError):  # a supervisor that is gone need not be told
            os.write(descriptor, b"1")
    finally:
        os.close(descriptor)
