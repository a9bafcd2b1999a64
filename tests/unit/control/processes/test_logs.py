import asyncio

import pytest

from control.processes import logs
from control.processes.logs import follow, latest_lines, trim


@pytest.fixture
def log(tmp_path):
    path = tmp_path / "one.log"
    path.write_bytes(b"1\n2\n3\n")
    return path


def test_the_latest_lines_are_those_at_the_end_each_with_its_own(log, tmp_path):
    assert latest_lines(log, 2) == [b"2\n", b"3\n"]
    assert latest_lines(log, 0) == []
    assert latest_lines(tmp_path / "none.log", 5) == []


async def test_who_follows_hears_the_latest_lines_and_those_to_come_once(log):
    heard = follow(log, 1)
    assert await anext(heard) == b"3\n"
    with log.open("ab") as file:
        file.write(b"4\n5")
    assert await anext(heard) == b"4\n"
    with log.open("ab") as file:
        file.write(b"!\n")
    async with asyncio.timeout(30):
        assert await anext(heard) == b"5!\n"
    await heard.aclose()


async def test_who_follows_hears_a_new_run_from_its_beginning(log):
    heard = follow(log, 1)
    assert await anext(heard) == b"3\n"
    log.rename(log.with_suffix(".log.1"))
    log.write_bytes(b"begins\n")
    async with asyncio.timeout(30):
        assert await anext(heard) == b"begins\n"
    await heard.aclose()


async def test_a_line_without_an_end_is_passed_on_in_pieces(log, monkeypatch):
    monkeypatch.setattr(logs, "_PIECE", 10)
    heard = follow(log, 1)
    assert await anext(heard) == b"3\n"
    with log.open("ab") as file:
        file.write(b"x" * 30)
    async with asyncio.timeout(30):
        assert set(await anext(heard)) == {ord("x")}
    await heard.aclose()


def test_of_a_log_that_has_become_too_long_the_end_is_kept_and_its_writer_goes_on(log, monkeypatch):
    monkeypatch.setattr(logs, "LONGEST", 1000)
    monkeypatch.setattr(logs, "_KEPT", 10)
    with log.open("ab", buffering=0) as writer:
        trim(log)
        assert log.stat().st_size == 6
        writer.write(b"".join(b"%04d\n" % number for number in range(300)))
        trim(log)
        writer.write(b"next\n")
    assert log.read_bytes() == b"0299\nnext\n"
