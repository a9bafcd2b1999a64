import asyncio
import json
import os
import signal
import subprocess
import sys
from dataclasses import replace

import pytest

from archway.up.answers import tcp_answers
from archway.up.ports import free_port
from core.children.child import Child, DidNotStart, end_of_log
from core.children.identity import identify, lives
from core.children.orphans import recorded
from core.children.program import Program

SERVER = "import socket, sys, time; s = socket.create_server(('127.0.0.1', int(sys.argv[1]))); time.sleep(60)"


@pytest.fixture
def program(tmp_path):
    port = free_port()
    return Program(
        name="server",
        title="The server",
        command=(sys.executable, "-c", SERVER, str(port)),
        environment={"PATH": os.environ["PATH"]},
        log=tmp_path / "server.log",
        record=tmp_path / "server.json",
        ready=lambda: tcp_answers("127.0.0.1", port),
        ready_within_s=60,
    )


@pytest.fixture
async def child(program):
    child = Child(program)
    await child.start()
    yield child
    await child.stop()


async def back(child, old):
    async with asyncio.timeout(30):
        while child.pid in {None, old} or not await child.program.ready():  # noqa: ASYNC110 - other processes set no event
            await asyncio.sleep(0.02)


async def test_a_program_that_was_killed_comes_back(child):
    old = child.pid
    os.kill(old, signal.SIGKILL)

    await back(child, old)

    assert child.pid != old


async def test_a_program_whose_guard_was_killed_is_ended_and_comes_back(child):
    orphan = identify(child.pid)
    os.kill(recorded(child.program.record)["guard"].pid, signal.SIGKILL)

    await back(child, orphan.pid)

    assert not lives(orphan)


async def test_a_stopped_program_is_gone_and_stays_gone(program):
    child = Child(program)
    await child.start()
    who = identify(child.pid)

    await child.stop()

    assert not lives(who)
    assert child.pid is None
    assert not program.record.exists()


async def test_a_program_that_answers_before_its_guard_has_written_it_down_has_not_started_yet(program):
    async def at_once():
        return True

    child = Child(replace(program, ready=at_once))

    await child.start()

    assert child.pid is not None
    await child.stop()


async def test_an_orphan_of_a_killed_start_is_ended_before_the_next(program):
    with subprocess.Popen(["sleep", "60"]) as orphan:  # noqa: ASYNC220 - it starts at once
        who = identify(orphan.pid)
        program.record.write_text(json.dumps({"program": who.row}))

        child = Child(program)
        await child.start()
        await child.stop()

        assert orphan.wait(60) == -signal.SIGTERM


async def test_a_program_that_cannot_start_says_why_from_its_log(program):
    broken = replace(program, title="The broken one", command=(sys.executable, "-c", "raise SystemExit('no wheel')"))

    with pytest.raises(DidNotStart, match=r"(?s)The broken one ended with status 1.*no wheel"):
        await Child(broken).start()


async def test_a_program_that_never_answers_is_given_up_and_ended(program):
    silent = replace(program, command=("sleep", "60"), ready_within_s=0.5)
    child = Child(silent)

    with pytest.raises(DidNotStart, match=r"did not answer within 0 s|did not answer within 1 s"):
        await child.start()

    assert child.pid is None


async def test_a_program_that_ends_twice_before_it_runs_is_tried_again(tmp_path, program):
    count = f"import os, sys; n = len(os.listdir('{tmp_path}/t')); open(f'{tmp_path}/t/{{n}}', 'w')"
    twice = f"{count}; n < 2 and sys.exit(1)"
    (tmp_path / "t").mkdir()
    command = (sys.executable, "-c", f"{twice}\n{SERVER}", program.command[-1])
    child = Child(replace(program, command=command))

    await child.start()
    await child.stop()

    assert len(list((tmp_path / "t").iterdir())) == 3


def test_of_a_log_that_is_too_long_to_be_read_whole_the_end_is_shown(tmp_path):
    log = tmp_path / "long.log"
    with log.open("wb") as file:
        file.truncate(1 << 40)  # nothing is written: a reader of the whole file would not come back
        file.seek(0, os.SEEK_END)
        file.write(b"\nthe end\n")
    assert end_of_log(log, 1) == "    the end"


def test_a_missing_log_is_no_error(tmp_path):
    assert "wrote nothing" in end_of_log(tmp_path / "none.log")


async def test_only_the_last_run_of_a_program_that_does_not_start_is_shown_once(program):
    program.log.write_text("an earlier day's trouble\n")
    broken = replace(program, command=(sys.executable, "-c", "import sys; sys.exit('no wheel')"))

    with pytest.raises(DidNotStart) as failed:
        await Child(broken).start()

    assert str(failed.value).count("no wheel") == 1
    assert "earlier day" not in str(failed.value)


async def test_a_program_comes_back_whose_log_and_record_cannot_be_written_any_more(child):
    """The folder is gone, as good as a disk that is full or read-only."""
    old, folder = child.pid, child.program.record.parent
    child.program.log.unlink()
    child.program.record.unlink()
    moved = folder.rename(folder.with_name("moved"))

    os.kill(old, signal.SIGKILL)
    async with asyncio.timeout(30):
        while identify(old) is not None:  # noqa: ASYNC110 - other processes set no event
            await asyncio.sleep(0.02)
        while not await child.program.ready():  # noqa: ASYNC110 - other processes set no event
            await asyncio.sleep(0.02)
    assert child.pid is None, "nobody can tell which process it is"
    moved.rename(folder)

    await back(child, old)


async def test_a_start_that_the_system_refuses_is_tried_again(child, monkeypatch):
    refused = []
    spawn = asyncio.create_subprocess_exec

    async def without_memory(*command, **how):
        if len(refused) < 2:
            refused.append(command)
            raise OSError(12, "Cannot allocate memory")
        return await spawn(*command, **how)

    monkeypatch.setattr(asyncio, "create_subprocess_exec", without_memory)
    old = child.pid
    os.kill(old, signal.SIGKILL)

    await back(child, old)

    assert len(refused) == 2


async def test_the_record_of_a_run_before_does_not_say_who_runs_now(child):
    kept = child.program.record.read_bytes()
    old = child.pid
    os.kill(old, signal.SIGKILL)
    await back(child, old)

    child.program.record.write_bytes(kept)

    assert child.pid is None
