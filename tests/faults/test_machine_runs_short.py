"""The machine runs short: the disk is full or read-only, or no descriptor is left. Calls go on, and it is said.

What a worker writes: sealed copies and the spool of records (in `ARCHWAY_DISK_CACHE`), and its log. A full disk is a
small tmpfs where this user may mount one, else a limit on the size of files; likewise one that is read-only.
"""

from __future__ import annotations

import asyncio
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from tests.fixtures_program import eventually
from tests.fixtures_supervised import SupervisedProxy, new_session, supervised
from tests.proxy.conftest import LANES

DESCRIPTORS = 256
CROWD = 300


@contextmanager
def mounted(folder: Path, *options: str) -> Iterator[bool]:
    """A tmpfs of 256 KiB; whether it could be mounted."""
    mount = shutil.which("mount")
    command = [str(mount), "-t", "tmpfs", "-o", ",".join(("size=256k", *options)), "none", str(folder)]
    done = mount is not None and subprocess.run(command, capture_output=True, check=False).returncode == 0
    try:
        yield done
    finally:
        if done:
            subprocess.run(["umount", "-l", str(folder)], check=True)


@contextmanager
def read_only(folder: Path) -> Iterator[None]:
    """Nobody writes into it; root does where only a mode forbids it."""
    with mounted(folder) as done:
        if done:
            subprocess.run(["mount", "-o", "remount,ro", str(folder)], check=True)
            yield
            return
        folder.chmod(0o500)
        yield
        folder.chmod(0o700)


def fill(folder: Path) -> None:
    with (folder / "ballast").open("wb", buffering=0) as file:
        try:
            while file.write(b"x" * 4096):
                pass
        except OSError:
            return


async def served_while_redis_is_away(proxy: SupervisedProxy) -> None:
    """Records go to the spool meanwhile, or would."""
    for _ in range(5):
        await proxy.call()
    proxy.redis.kill()
    for _ in range(20):
        await proxy.call()
        await asyncio.sleep(0.05)
    await asyncio.to_thread(proxy.redis.start)
    for _ in range(5):
        await proxy.call()


@pytest.mark.parametrize("_", [pytest.param(0, id="F-15: disk full")])
async def test_on_a_full_disk_calls_go_on_and_the_log_says_why_there_is_no_copy(tmp_path: Path, _: int) -> None:
    folder = tmp_path / "cache"
    folder.mkdir()
    with mounted(folder) as done:
        if done:
            fill(folder)
        # Without a small disk of its own the process may write no file at all, its log included.
        limits = "" if done else "FSIZE=0"
        async with supervised(tmp_path, supervisor=False, limits=limits, disk_cache=str(folder)) as proxy:
            await served_while_redis_is_away(proxy)
            if done:
                await eventually(lambda: was_said(proxy, "the copy on disk could not be written"), 60, "it is said")
            await proxy.call()


@pytest.mark.parametrize("_", [pytest.param(0, id="F-15: read-only folder")])
async def test_with_a_read_only_folder_calls_go_on_and_the_log_says_why_there_is_no_copy(
    tmp_path: Path, _: int
) -> None:
    folder = tmp_path / "cache"
    folder.mkdir()
    with read_only(folder):
        async with supervised(tmp_path, supervisor=False, disk_cache=str(folder)) as proxy:
            await served_while_redis_is_away(proxy)
            await eventually(lambda: was_said(proxy, "the copy on disk could not be written"), 60, "it is said")
            await proxy.call()


@pytest.mark.parametrize("_", [pytest.param(0, id="F-15: log on a full disk")])
async def test_a_log_that_cannot_be_written_stops_no_call(tmp_path: Path, _: int) -> None:
    """/dev/full takes nothing: each write of the log fails, as on a full disk."""
    async with supervised(tmp_path, supervisor=False, log=Path("/dev/full"), log_level="DEBUG") as proxy:
        for _number in range(30):
            await proxy.call()


@pytest.mark.parametrize("lane", LANES)
@pytest.mark.parametrize("_", [pytest.param(0, id="F-15: no descriptors left")])
async def test_without_descriptors_accepting_pauses_and_open_connections_are_served_on(
    tmp_path: Path, lane: str, _: int
) -> None:
    """A crowd takes every place: who is connected is served on, who comes later waits and is hung up on by nobody,
    the worker does not spin meanwhile, and it recovers when the crowd leaves."""
    async with (
        supervised(tmp_path, supervisor=False, lane=lane, limits=f"NOFILE={DESCRIPTORS}") as proxy,
        new_session() as before,
        new_session() as after,
    ):
        await proxy.call(session=before)
        with crowd(proxy.program.port) as callers:
            await eventually(lambda: was_said(proxy, "accepting pauses"), 60, "accepting pauses")
            worker = psutil.Process(proxy.program.pid)
            assert worker.num_fds() < DESCRIPTORS
            used = sum(worker.cpu_times()[:2])
            await asyncio.sleep(1.5)
            used = sum(worker.cpu_times()[:2]) - used
            print("CPU while accepting pauses:", round(used / 1.5, 3))
            assert used < 0.5, "it spins"
            for _number in range(20):
                await proxy.call(session=before)
            assert hung_up_on(callers) == 0
            async with asyncio.timeout(30), asyncio.TaskGroup() as group:
                waiting = group.create_task(proxy.call(session=after))
                await asyncio.sleep(0.3)
                assert not waiting.done()
                for caller in callers:
                    caller.close()
        assert len(proxy.said("accepting pauses")) <= 3, "it is said once, not at each look"
        await eventually(lambda: was_said(proxy, "accepting goes on"), 60, "accepting goes on")


@contextmanager
def crowd(port: int) -> Iterator[list[socket.socket]]:
    """Many who connect and say nothing."""
    callers = [socket.create_connection(("127.0.0.1", port)) for _ in range(CROWD)]
    try:
        yield callers
    finally:
        for caller in callers:
            caller.close()


def hung_up_on(callers: list[socket.socket]) -> int:
    gone = 0
    for caller in callers:
        caller.setblocking(False)
        try:
            gone += caller.recv(1) == b""
        except BlockingIOError:
            continue
        except ConnectionResetError:
            gone += 1
    return gone


async def was_said(proxy: SupervisedProxy, what: str) -> bool:
    return bool(proxy.said(what))
