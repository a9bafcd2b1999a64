"""The page about production is followed to its end: two processes, two files, a real PostgreSQL and Redis.

The addresses of the page's machines are replaced by loopback; all else is as the page says it. An entry is discovered
through the proxy that the files name, and a call goes through. Pages that go on where it ends follow.
"""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
import pytest

from archway.up.ports import free_port
from tests.docs.page_blocks import blocks_of
from tests.docs.page_shell import ROOT, PageShell, Place, workplace
from tests.fixtures_postgres import Server, binaries, postgres  # noqa: F401 - a fixture
from tests.fixtures_redis import RedisServer, _session_redis, redis_server  # noqa: F401 - fixtures
from tests.fixtures_upstreams import answering, running

PAGES = ("deploy/README.md", "docs/operating/backup-and-restore.md")


@pytest.fixture
async def empty_database(postgres: Server) -> str:  # noqa: F811 - a fixture
    admin = await asyncpg.connect(postgres.dsn(), timeout=60)
    try:
        await admin.execute("create database archway")
    finally:
        await admin.close(timeout=30)
    return postgres.dsn("archway")


@pytest.fixture
def place(empty_database: str, redis_server: RedisServer, tmp_path: Path) -> Place:  # noqa: F811 - a fixture
    folder, environment = workplace(tmp_path)
    environment["PATH"] = f"{binaries()}:{environment['PATH']}"
    parts = urlsplit(empty_database)
    words = {
        "PGHOST=postgres.internal PGPORT=5432 PGUSER=archway PGPASSWORD=PASSWORD": (
            f"PGHOST={parts.hostname} PGPORT={parts.port} PGUSER={parts.username} PGPASSWORD={parts.password}"
        ),
        "postgresql://archway:PASSWORD@postgres.internal/archway": empty_database,
        "rediss://:PASSWORD@redis.internal": redis_server.url,
        "https://mcp.example.com": "http://127.0.0.1:8400",
        "10.20.0.0/16": "127.0.0.0/8",
        "0.0.0.0": "127.0.0.1",
        **{f"{machine}.internal": "127.0.0.1" for machine in ("control", "proxy", "mcp")},
    }
    return Place(folder, environment, {}, words)


def test_a_deployment_of_two_files_and_two_processes_discovers_an_entry_and_serves_a_call(place: Place) -> None:
    port = place.ports["9510"] = free_port()
    server = [str(ROOT / ".venv/bin/python"), "-m", "bench.stub_upstream", str(port)]
    with running(server, {"PYTHONPATH": str(ROOT)}, place.folder / "server.log") as process:
        answering(f"http://127.0.0.1:{port}/mcp", process, place.folder / "server.log")
        with PageShell(place) as shell:
            for page in PAGES:
                for block in blocks_of((ROOT / page).read_text()):
                    shell.do(block)
