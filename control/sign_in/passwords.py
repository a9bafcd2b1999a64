"""Hashes passwords and compares them: Argon2id (RFC 9106), in threads of its own, a few at once.

One hash takes 64 MiB and a good part of a second of a core, and everybody on the Internet can ask for one. So there
are few threads and a short queue, and whoever finds it full is told to come again. Browsers that are known have a
thread of their own: a flood of strangers leaves them that.

Whoever's address is unknown, or has no password, costs what a wrong password costs. Called by `door.py`.
"""

import asyncio
import secrets
from base64 import b64encode
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from typing import Final, TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from control.registry.password_rules import LONGEST, normalised

AT_ONCE: Final = 2
WAITING: Final = 16
"""More than these would not be answered within the deadline of a page."""
T = TypeVar("T")


class Busy(Exception):
    """More passwords are to be compared than there is room for; the same may work in a moment."""


@dataclass(frozen=True, slots=True)
class Compared:
    """What came of comparing a password with what is kept."""

    right: bool
    outdated: bool = False
    """Whether it is right, and hashed as we do no longer."""


class Passwords:
    """Hashes and compares. Its threads end with it; `hasher` says how hard a hash is."""

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        self._hasher = hasher or PasswordHasher()
        self._strangers = _Queue(AT_ONCE, "password")
        self._known = _Queue(1, "password-known")
        self._nobody = _hash_of_nobody(self._hasher)

    async def hashed(self, password: str, *, known: bool = True) -> str:
        """The hash to keep; raises Busy. Whoever sets a password has proved who they are, and is known."""
        return await self._queue(known).run(lambda: self._hasher.hash(normalised(password)))

    async def compare(self, kept: str | None, password: str, *, known: bool = False) -> Compared:
        """Whether the hash is that of the password; None is nobody's, and takes as long. Raises Busy."""
        text = normalised(password[: LONGEST + 1])
        return await self._queue(known).run(lambda: self._compared(kept, text))

    def _queue(self, known: bool) -> "_Queue":
        return self._known if known else self._strangers

    def _compared(self, kept: str | None, text: str) -> Compared:
        try:
            self._hasher.verify(kept or self._nobody, text)
        except (VerificationError, InvalidHashError):
            return Compared(right=False)
        if kept is None:
            return Compared(right=False)
        return Compared(right=True, outdated=self._hasher.check_needs_rehash(kept))


class _Queue:
    """Some threads, and how many wait for them."""

    def __init__(self, at_once: int, name: str) -> None:
        self._threads = ThreadPoolExecutor(at_once, thread_name_prefix=name)
        self._most = at_once + WAITING
        self._taken = 0

    async def run(self, work: Callable[[], T]) -> T:
        """What the work gives; a place is taken until it is done, even if nobody waits for it any more."""
        if self._taken >= self._most:
            raise Busy
        self._taken += 1
        future = self._threads.submit(work)
        loop = asyncio.get_running_loop()
        future.add_done_callback(lambda _: _on_loop(loop, self._give_back))
        return await asyncio.wrap_future(future)

    def _give_back(self) -> None:
        self._taken -= 1


def _on_loop(loop: asyncio.AbstractEventLoop, call: Callable[[], None]) -> None:
    with suppress(RuntimeError):  # the loop has ended meanwhile, and nobody counts any more
        loop.call_soon_threadsafe(call)


def _hash_of_nobody(hasher: PasswordHasher) -> str:
    """As hard to compare with as every other; no password has it, since it was drawn by lot."""
    salt, drawn = (
        b64encode(secrets.token_bytes(length)).rstrip(b"=").decode() for length in (hasher.salt_len, hasher.hash_len)
    )
    return f"$argon2id$v=19$m={hasher.memory_cost},t={hasher.time_cost},p={hasher.parallelism}${salt}${drawn}"
