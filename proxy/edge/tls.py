"""TLS of the public listener: 1.2 and newer, ALPN `http/1.1`, certificate and key from files that may change.

The files are looked at every few seconds, off the loop, and on SIGHUP. New connections get the new certificate at
once; open ones keep theirs. Files that cannot be used change nothing but the log and `archway_tls_files_broken`.
`proxy/listeners.py` makes it. It leaves out client certificates.
"""

import asyncio
import logging
import ssl
from collections.abc import Callable
from pathlib import Path

from core.settings import BadSetting
from core.tasks import forever

log = logging.getLogger(__name__)
LOOK_S = 2.0
_Stamp = tuple[tuple[int, int, int], ...]
"""Inode, size and time of change of each file."""


def tls_of(cert: str, key: str, tell_broken: Callable[[bool], None]) -> "ServerTls | None":
    """TLS as the settings have it, None for plain HTTP; raises BadSetting for files that cannot be used."""
    return ServerTls(cert, key, tell_broken) if cert else None


class ServerTls:
    """The context that a listener is given, and what keeps it up to date. Raises BadSetting for unusable files."""

    def __init__(self, cert: str, key: str, tell_broken: Callable[[bool], None] = lambda _: None) -> None:
        self._cert, self._key, self._tell_broken = cert, key, tell_broken
        self._look_now = asyncio.Event()
        self._loaded = self._stamp()
        try:
            self.context = context_of(cert, key)
        except (OSError, ValueError) as error:
            raise BadSetting(f"ARCHWAY_TLS_CERT, ARCHWAY_TLS_KEY: {_why(error)} ({cert}, {key})") from None
        self._current = self.context
        # Called at every handshake, also without a name: a context in use must not be changed, so it is exchanged.
        self.context.sni_callback = self._exchange

    async def keep(self) -> None:
        """Follow the files until cancelled."""
        await forever("tls", self._look_after_a_while, LOOK_S)

    def look_now(self) -> None:
        """SIGHUP: load what is there, changed or not."""
        self._look_now.set()

    async def _look_after_a_while(self) -> None:
        """A file that changed is loaded once it has stood still for one look: pairs are written one by one."""
        before = await asyncio.to_thread(self._stamp)
        asked = await _set_within(self._look_now, LOOK_S)
        self._look_now.clear()
        now = await asyncio.to_thread(self._stamp)
        if asked or (now != self._loaded and now == before):
            await self._load(now)

    async def _load(self, stamp: _Stamp) -> None:
        self._loaded = stamp  # also of broken files: they are named once, and looked at again when they change
        try:
            self._current = await asyncio.to_thread(context_of, self._cert, self._key)
        except (OSError, ValueError) as error:
            log.error("the TLS files cannot be used; the certificate before them stays", extra={"why": _why(error)})
            self._tell_broken(True)
            return
        log.info("TLS files loaded", extra={"cert": self._cert})
        self._tell_broken(False)

    def _exchange(self, connection: ssl.SSLObject | ssl.SSLSocket, _: str | None, __: ssl.SSLContext) -> None:
        connection.context = self._current

    def _stamp(self) -> _Stamp:
        return tuple(_stamp_of(path) for path in (self._cert, self._key))


def context_of(cert: str, key: str) -> ssl.SSLContext:
    """A server's context; raises OSError (ssl.SSLError among them) or ValueError for files that do not fit."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.options |= ssl.OP_NO_RENEGOTIATION | ssl.OP_CIPHER_SERVER_PREFERENCE
    context.set_alpn_protocols(["http/1.1"])
    context.load_cert_chain(cert, key, password=_no_password)
    return context


def _no_password() -> str:
    """Without this OpenSSL would ask on the terminal, and wait."""
    raise ValueError("the key is encrypted; give one that is not, in a file that only this user reads")


def _stamp_of(path: str) -> tuple[int, int, int]:
    try:
        found = Path(path).stat()
    except OSError:
        return (0, 0, 0)
    return found.st_ino, found.st_size, found.st_mtime_ns


def _why(error: Exception) -> str:
    if isinstance(error, ssl.SSLError):
        return (error.reason or "not PEM").replace("_", " ").lower()
    return error.strerror or str(error) if isinstance(error, OSError) else str(error)


async def _set_within(event: asyncio.Event, seconds: float) -> bool:
    try:
        async with asyncio.timeout(seconds):
            return await event.wait()
    except TimeoutError:
        return False
