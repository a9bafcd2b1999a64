"""Starts and ends: what is left behind (nothing) and what is kept (everything that was made)."""

import os
import signal
import subprocess
import time

from core.children.orphans import recorded
from tests.up.conftest import ARCHWAY, until


def test_down_leaves_no_process_and_the_next_start_keeps_url_token_and_data(fresh):
    fresh.up()
    command, first = fresh.command, fresh.file
    assert fresh.works()

    fresh.down()
    assert fresh.processes() == {}
    assert not (fresh.state / "up.json").exists()

    began = time.monotonic()
    fresh.up()
    assert time.monotonic() - began < 60
    assert fresh.command == command
    assert fresh.file["gateway_token"] == first["gateway_token"]
    assert fresh.file["admin_token"] != first["admin_token"]  # lives for one run
    assert fresh.works()


def test_a_deleted_demo_gateway_stays_deleted_and_is_named_instead_of_a_dead_command(fresh):
    fresh.up()
    assert fresh.run("gateways", "delete", "demo").returncode == 0
    fresh.down()

    fresh.up()

    assert "the demo gateway was deleted" in fresh.said
    assert "curl" not in fresh.said
    assert (fresh.file["gateway_url"], fresh.file["gateway_token"]) == (None, None)
    assert "the demo gateway was deleted" in fresh.run("doctor").stdout


def test_a_killed_up_takes_everything_with_it(fresh):
    fresh.up("--no-demo")
    holder = _holder(fresh)

    os.kill(holder, signal.SIGKILL)

    until(lambda: fresh.processes() == {})


def test_what_survived_a_kill_of_everything_above_it_is_ended_by_the_next_start(fresh):
    fresh.up("--no-demo")
    left = recorded(fresh.state / "run" / "redis.json")["program"].pid
    postmaster = fresh.file["pids"]["postgres"]
    guards = [recorded(path).get("guard") for path in (fresh.state / "run").glob("*.json")]
    _kill_at_once(_holder(fresh), *(guard.pid for guard in guards if guard), postmaster)
    assert left in fresh.processes()

    fresh.up("--no-demo")

    assert left not in fresh.processes()
    assert fresh.run("status").returncode == 0


def test_down_ends_what_survived_too(fresh):
    fresh.up("--no-demo")
    _kill_at_once(_holder(fresh), recorded(fresh.state / "run" / "redis.json")["guard"].pid)

    done = fresh.run("down")

    assert "redis" in done.stdout
    until(lambda: fresh.processes() == {})


def test_ctrl_c_ends_everything(fresh):
    with subprocess.Popen(
        [*ARCHWAY, "up", "--no-demo", "--proxy-port", "0", "--control-port", "0", "--state", str(fresh.state)],
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        until(lambda: "Archway runs." in process.stdout.readline())

        process.send_signal(signal.SIGINT)

        assert process.wait(30) == 0
    assert fresh.processes() == {}


def test_ctrl_c_in_the_middle_of_the_start_ends_everything(fresh):
    with subprocess.Popen(
        [*ARCHWAY, "up", "--no-servers", "--proxy-port", "0", "--control-port", "0", "--state", str(fresh.state)],
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        until(lambda: "PostgreSQL" in process.stdout.readline())

        process.send_signal(signal.SIGINT)

        assert process.wait(30) == 130
    assert fresh.processes() == {}


def test_a_port_that_is_taken_is_named_and_nothing_is_left_running(fresh):
    import socket

    with socket.create_server(("127.0.0.1", 0)) as held:
        port = held.getsockname()[1]
        done = fresh.run("up", "--detach", "--proxy-port", str(port))

    assert done.returncode == 1
    assert f"--proxy-port {port} is in use" in done.stderr
    assert fresh.processes() == {}


def _holder(up) -> int:
    from archway.up.state import existing_state

    return existing_state(up.state).holder().pid


def _kill_at_once(*pids: int) -> None:
    """So that none of them sees another die: a guard that outlives its holder by a moment ends its program."""
    for kind in (signal.SIGSTOP, signal.SIGKILL):
        for pid in pids:
            os.kill(pid, kind)
