"""`archway up` on a PostgreSQL and a Redis that somebody else runs."""

import os
import secrets
import subprocess

import asyncpg
import pytest

from tests.fixtures_postgres import postgres  # noqa: F401 - a fixture
from tests.fixtures_redis import _session_redis, redis_server  # noqa: F401 - fixtures
from tests.up.conftest import ARCHWAY


@pytest.fixture
async def empty_database(postgres):  # noqa: F811 - a fixture
    name = f"given_{secrets.token_hex(4)}"
    connection = await asyncpg.connect(postgres.dsn())
    await connection.execute(f"create database {name}")
    yield postgres.dsn(name)
    await connection.execute(f"drop database {name} with (force)")
    await connection.close()


async def test_given_servers_are_used_instead_of_own_ones(fresh, empty_database, redis_server):  # noqa: F811 - a fixture
    given = {**os.environ, "ARCHWAY_DATABASE_URL": empty_database, "ARCHWAY_REDIS_URL": redis_server.url}
    up = [
        *ARCHWAY,
        "up",
        "--detach",
        "--no-servers",
        "--proxy-port",
        "0",
        "--control-port",
        "0",
        "--state",
        str(fresh.state),
    ]

    done = subprocess.run(up, capture_output=True, text=True, timeout=150, check=False, env=given)  # noqa: ASYNC221 - nothing else runs here

    assert done.returncode == 0, done.stdout + done.stderr
    fresh.said = done.stdout
    assert fresh.works()
    assert fresh.file["pids"]["postgres"] is None
    assert fresh.file["pids"]["redis"] is None
    assert not (fresh.state / "postgres").exists()
    fresh.down()
    assert fresh.processes() == {}


async def test_a_given_database_that_is_away_is_said_with_controls_own_words(fresh):
    given = {
        **os.environ,
        "ARCHWAY_DATABASE_URL": "postgresql://x:hunter2@127.0.0.1:1/x",
        "ARCHWAY_DATABASE_WAIT": "2",
    }
    up = [*ARCHWAY, "up", "--detach", "--no-demo", "--state", str(fresh.state), "--proxy-port", "0"]

    done = subprocess.run(up, capture_output=True, text=True, timeout=150, check=False, env=given)  # noqa: ASYNC221 - nothing else runs here

    assert done.returncode == 1
    assert "Control plane ended with status" in done.stderr
    assert done.stdout.count("waiting up to 2 s") == 1
    assert "hunter2" not in done.stderr
    assert fresh.processes() == {}
