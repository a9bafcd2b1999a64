"""The process itself, started and stopped."""

from __future__ import annotations

import asyncio
import os
import resource
import signal
import socket
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import aiohttp
import msgspec
import pytest

from archway.up.ports import free_port
from control.main import listening
from control.replica import composed
from control.settings import ControlSettings
from control.store.outbox import announce
from control.store.pool import transaction
from core.identifiers import new_id
from core.keys import new_key
from core.redis_names import INDEX, installation_key
from tests.fixtures_redis import RedisServer, _session_redis, redis_server

__all__ = ["_session_redis", "redis_server"]

Start = Callable[..., Awaitable[asyncio.subprocess.Process]]


def settings(database: str, redis_url: str) -> ControlSettings:
    return ControlSettings(
        database, redis_url, new_key(), new_key(), new_key(), "https://archway.test",
        admin_listen="127.0.0.1:0", control_internal_listen="127.0.0.1:0", control_public_listen="127.0.0.1:0",
    )  # fmt: skip


@pytest.fixture
async def start() -> AsyncIterator[Start]:
    """Starts `python -m control.main` with some settings changed."""
    started = []

    async def run(database: str, redis_url: str, **changed: str) -> asyncio.subprocess.Process:
        given = {
            "DATABASE_URL": database, "REDIS_URL": redis_url, "SECRET_KEY": new_key(), "PROXY_KEY": new_key(),
            "SIGNING_KEY": new_key(), "PUBLIC_URL": "https://archway.test", "ADMIN_LISTEN": "127.0.0.1:0",
            "CONTROL_INTERNAL_LISTEN": "127.0.0.1:0", "CONTROL_PUBLIC_LISTEN": "127.0.0.1:0", **changed,
        }  # fmt: skip
        environment = {f"ARCHWAY_{name}": text for name, text in given.items()}
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "control.main", stderr=asyncio.subprocess.PIPE,
            env={"PATH": os.environ["PATH"], "PYTHONPATH": str(Path.cwd()), **environment},
        )  # fmt: skip
        started.append(process)
        return process

    yield run
    for process in started:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def told(process: asyncio.subprocess.Process, event: str) -> str:
    """Its log up to a line with this event."""
    assert process.stderr is not None
    lines = ""
    async with asyncio.timeout(30):
        while event not in lines:
            line = await process.stderr.readline()
            assert line, f"ended without {event!r}: {lines}"
            lines += line.decode()
    return lines


async def test_a_replica_serves_its_three_listeners_and_publishes(database: str, redis_server: RedisServer) -> None:
    async with composed(settings(database, redis_server.url)) as replica, listening(replica) as ports:
        async with aiohttp.ClientSession() as session:
            for port, path, status in (
                (ports.admin, "/ready", 200), (ports.admin, "/api/v1/me", 401), (ports.internal, "/ready", 403),
                (ports.public, "/ready", 200), (ports.public, "/api/v1/me", 421),
            ):  # fmt: skip
                async with session.get(f"http://127.0.0.1:{port}{path}") as answer:
                    assert answer.status == status
        with redis_server.client() as redis:
            for _ in range(100):
                if redis.exists(INDEX):
                    break
                await asyncio.sleep(0.02)
            assert redis.exists(INDEX)
    assert len(replica.tasks) == 0


async def test_metrics_are_told_where_an_address_is_set_for_them(database: str, redis_server: RedisServer) -> None:
    given = msgspec.structs.replace(settings(database, redis_server.url), control_metrics_listen="127.0.0.1:0")
    async with (
        composed(given) as replica, listening(replica) as ports, aiohttp.ClientSession() as session,
        session.get(f"http://127.0.0.1:{ports.metrics}/metrics") as answer,
    ):  # fmt: skip
        assert answer.status == 200
        assert "\narchway_accounts_failing 0\n" in await answer.text()


async def test_people_read_the_logs_of_servers_where_this_control_runs_some(
    database: str, redis_server: RedisServer
) -> None:
    given = settings(database, redis_server.url)
    async with composed(given) as replica:
        assert (replica.admin.runtime, replica.public.runtime) == (None, None)
    async with composed(msgspec.structs.replace(given, runtime="process")) as replica:
        assert replica.hosted is not None
        assert replica.admin.runtime is replica.public.runtime is replica.hosted.runtime
        assert replica.admin.place == "process"


async def test_the_process_serves_with_redis_away_and_ends_in_order(database: str, start: Start) -> None:
    process = await start(database, f"redis://127.0.0.1:{free_port()}/0")
    assert "publishing waits" in await told(process, "control serves")
    process.send_signal(signal.SIGTERM)
    async with asyncio.timeout(30):
        assert await process.wait() == 0


async def test_a_published_change_takes_its_copies_out_of_redis(database: str, redis_server: RedisServer) -> None:
    user = new_id()
    copy = installation_key(f"g/a/user:{user}")
    async with composed(settings(database, redis_server.url)) as replica:
        with redis_server.client() as redis:
            redis.set(copy, b"sealed")
            async with transaction(replica.pool) as connection:
                await announce(connection, "user", user)
            for _ in range(500):
                if not redis.exists(copy):
                    break
                await asyncio.sleep(0.02)
            assert not redis.exists(copy)


async def test_the_process_writes_no_core_dump_which_would_hold_its_keys(database: str, start: Start) -> None:
    process = await start(database, f"redis://127.0.0.1:{free_port()}/0")
    await told(process, "control serves")
    assert resource.prlimit(process.pid, resource.RLIMIT_CORE) == (0, 0)


async def test_a_database_that_stays_away_ends_the_start_with_its_setting_s_name(start: Start) -> None:
    away = f"postgresql://u@127.0.0.1:{free_port()}/a"
    process = await start(away, "redis://127.0.0.1:1/0", DATABASE_WAIT="0.1")
    lines = await told(process, "archway control:")
    assert "waiting for the database at ARCHWAY_DATABASE_URL" in lines
    assert "Traceback" not in lines
    assert await process.wait() == 1


async def test_a_start_that_waits_for_its_database_can_be_stopped(start: Start) -> None:
    process = await start(f"postgresql://u@127.0.0.1:{free_port()}/a", "redis://127.0.0.1:1/0")
    await told(process, "waiting for the database")
    process.send_signal(signal.SIGTERM)
    async with asyncio.timeout(30):
        assert await process.wait() == 0


async def test_a_bad_setting_is_one_sentence(start: Start) -> None:
    process = await start("postgresql://u@127.0.0.1/a", "redis://127.0.0.1:1/0", SECRET_KEY="short")
    assert process.stderr is not None
    assert b"archway control: ARCHWAY_SECRET_KEY" in await process.stderr.read()
    assert await process.wait() == 1


async def test_a_port_that_is_taken_is_one_sentence(database: str, start: Start) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        process = await start(database, "redis://127.0.0.1:1/0", ADMIN_LISTEN=f"127.0.0.1:{port}")
        lines = await told(process, "archway control:")
    assert str(port) in lines.splitlines()[-1]
    assert "Traceback" not in lines
    assert await process.wait() == 1


async def test_a_ca_bundle_that_cannot_be_read_is_one_sentence(database: str, start: Start, tmp_path: Path) -> None:
    process = await start(database, "redis://127.0.0.1:1/0", CA_BUNDLE=str(tmp_path / "none.pem"))
    lines = await told(process, "archway control:")
    assert "ARCHWAY_CA_BUNDLE" in lines.splitlines()[-1]
    assert "Traceback" not in lines
    assert await process.wait() == 1


async def test_a_start_that_knows_no_proxy_says_that_nothing_can_be_discovered(database: str, start: Start) -> None:
    process = await start(database, "redis://127.0.0.1:1/0")
    lines = await told(process, "no server can be discovered: set ARCHWAY_PROXY_INTERNAL_URL")
    assert '"control serves"' in lines
