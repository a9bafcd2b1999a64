"""The identifier of a task as callers get it: whose it is, of which tool, and by what its server knows it.

A server that many people share through one installation cannot tell them apart, so its own identifier would be as
good as a credential for the task. Ours opens for the same caller on the same gateway alone, in any worker. Made by
`proxy/stages/pass_on_task.py`, opened by `choose_task`.
"""

import time
from typing import Final

import msgspec

from core.keys import KeyRing
from proxy.sessions.sealed_text import close_text, open_text

LIFETIME_S: Final = 30 * 24 * 3600
"""However long a server keeps a task."""
LONGEST_OF_SERVER: Final = 1024
"""Bytes of an identifier that a server gives."""
LONGEST: Final = 4096
"""Characters: clients send it in a header, too, and a line of 8 KiB is what most programs in between take."""
_PURPOSE: Final = "task-id"


class TaskId(msgspec.Struct, array_like=True, frozen=True):
    """What the identifier of a task says."""

    theirs: str
    """The server's own."""
    tool: str
    """That it is a call of, by its name on the gateway."""
    place: str
    """Of its server, as `call_state.place_of` has it."""
    expires: int
    """Unix seconds."""


class TaskGone(ValueError):
    """An identifier of ours that is too old."""


def close_task(ring: KeyRing, theirs: str, tool: str, place: str, bound: tuple[str, str]) -> str | None:
    """The identifier for the caller, good from now on; None where the server's is too long. `bound`: the gateway and
    the caller.
    """
    if len(theirs.encode()) > LONGEST_OF_SERVER:
        return None
    inside = TaskId(theirs, tool, place, int(time.time()) + LIFETIME_S)
    closed = close_text(ring, _PURPOSE, inside, bound)
    return closed if len(closed) <= LONGEST else None


def open_task(ring: KeyRing, identifier: object, bound: tuple[str, str]) -> TaskId:
    """What an identifier says that its caller sends. Raises SealBroken for what we did not give to this caller on
    this gateway, and TaskGone.
    """
    inside = open_text(ring, _PURPOSE, identifier, TaskId, bound, LONGEST)
    if time.time() >= inside.expires:
        raise TaskGone
    return inside
