"""What a person meets while `archway up` runs."""

import json
import stat
from pathlib import Path


def test_the_printed_command_calls_the_demos_tool(running):
    assert running.works(), running.call()


def test_up_json_has_the_fixed_shape_and_is_for_its_owner_alone(running):
    assert set(running.file) == {
        "proxy_url", "control_url", "admin_token", "gateway_url", "gateway_token", "metrics_url", "pids",
    }  # fmt: skip
    assert set(running.file["pids"]) == {"proxy", "control", "postgres", "redis", "demo"}
    assert len(running.file["pids"]["proxy"]) == 2  # the supervisor and one worker
    assert stat.S_IMODE((running.state / "up.json").stat().st_mode) == 0o600
    assert stat.S_IMODE(running.state.stat().st_mode) == 0o700


def test_no_secret_stands_in_a_command_line(running):
    secrets = [running.file["admin_token"], running.file["gateway_token"]]
    secrets += [line.partition("=")[2] for line in (running.state / "keys.env").read_text().splitlines()[1:]]
    kept = json.loads((running.state / "servers.json").read_text())
    secrets += [kept["postgres_password"], kept["redis_password"]]

    for pid in running.processes():
        words = Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace")
        assert not [secret for secret in secrets if secret in words]


def test_a_second_up_on_the_same_folder_is_told_that_one_runs(running):
    done = running.run("up", "--detach")

    assert done.returncode == 1
    assert "already running on" in done.stderr


def test_status_shows_every_process_and_each_installation_with_its_runtime(running):
    done = running.run("status", "--json")
    said = json.loads(done.stdout)

    assert done.returncode == 0, said
    assert {one["name"] for one in said["processes"]} == {
        "postgres", "redis", "control", "proxy", "proxy worker", "demo",
    }  # fmt: skip
    assert all(one["alive"] for one in said["processes"])
    assert [(one["entry"], one["runtime"], one["state"]) for one in said["installations"]] == [
        ("time", "remote", "ready")
    ]


def test_the_doctor_finds_nothing_wrong(running):
    done = running.run("doctor")

    assert done.returncode == 0, done.stdout
