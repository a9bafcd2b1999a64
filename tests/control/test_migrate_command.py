"""`archway migrate` on a real PostgreSQL: what it says, and with what it ends."""

from __future__ import annotations

import asyncio
from pathlib import Path

import asyncpg
import pytest
from click.testing import Result
from typer.testing import CliRunner

from archway.all_commands import app
from control.store import migrate as migrations

NEW = "9001_new_rows.sql"
OLD = "9002_old_rows.contract.sql"


@pytest.fixture
def told(database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The database that the command is told of, with one file of each kind to apply."""
    (tmp_path / NEW).write_text("create table new_rows (one int);")
    (tmp_path / OLD).write_text("drop table new_rows;")
    read = migrations.read_folder
    monkeypatch.setattr(migrations, "read_folder", lambda _ours: read(tmp_path))
    monkeypatch.setenv("ARCHWAY_DATABASE_URL", database)
    return database


async def run(*words: str) -> Result:
    return await asyncio.to_thread(CliRunner().invoke, app, ["migrate", "--wait", "0", *words])


@pytest.mark.usefixtures("told")
async def test_it_names_what_it_applies_and_leaves_what_takes_away() -> None:
    ended = await run()
    assert ended.exit_code == 0
    assert [line.partition(",")[0] for line in ended.output.splitlines()] == [f"{NEW}: applied", "1 applied"]
    assert (await run()).output == "the tables are up to date\n"


@pytest.mark.usefixtures("told")
async def test_a_dry_run_says_what_would_become_of_each_and_changes_nothing() -> None:
    said = f"{NEW}: would be applied\n{OLD}: takes away; with --contract alone\n"
    assert (await run("--dry-run")).output == said
    assert (await run("--dry-run")).output == said
    assert f"{OLD}: would be applied" in (await run("--dry-run", "--contract")).output


async def test_it_takes_away_once_no_other_version_is_connected(told: str) -> None:
    older = await asyncpg.connect(told, server_settings={"application_name": "archway-control 0.0.9"})
    refused = await run("--contract")
    assert refused.exit_code == 3
    assert "connected to this database: archway-control 0.0.9; replace them" in refused.output
    await older.close()  # which the server notices a little later
    ended = await run("--contract", "--wait", "600")
    assert ended.exit_code == 0
    assert f"{OLD}: applied" in ended.output


async def test_a_file_that_fails_ends_it_with_a_sentence(told: str, tmp_path: Path) -> None:
    (tmp_path / "9003_broken.sql").write_text("select 1 / 0;")
    ended = await run()
    assert ended.exit_code == 1
    assert "9003_broken.sql: division by zero" in ended.output


@pytest.mark.parametrize(
    ("url", "status", "said"),
    [
        ("", 2, "ARCHWAY_DATABASE_URL is not set"),
        ("postgresql://archway:secret@127.0.0.1:{port}/none", 3, "the database is away"),
    ],
)
async def test_without_a_database_it_says_why(
    url: str, status: int, said: str, unused_tcp_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ARCHWAY_DATABASE_URL", url.format(port=unused_tcp_port))
    ended = await run()
    assert ended.exit_code == status
    assert said in ended.output
    assert "secret" not in ended.output
