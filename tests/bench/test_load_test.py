"""`bench/locustfile.py` against a real deployment, for some seconds: users of both eras, and nothing left behind."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from bench.load_setup import CannotLoad, place
from bench.sizing import Sample, Sizing
from tests.bench.conftest import run_program
from tests.fixtures_archway import RunningArchway, archway

__all__ = ["archway"]


def load(environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    return run_program("locust", "-f", "bench/locustfile.py", "--headless", *arguments, **environment)


@pytest.mark.parametrize("processes", [1, 2], ids=["alone", "a master and two workers"])
def test_users_of_both_eras_get_right_answers_and_leave_nothing_behind(
    archway: RunningArchway, tmp_path: Path, processes: int
):
    there = {"ARCHWAY_ADMIN_URL": archway.up["control_url"], "ARCHWAY_ADMIN_TOKEN": archway.up["admin_token"]}
    report = tmp_path / "report.html"
    size = ["-u", "6", "-r", "20", "-t", "20s", "--callers", "3", "--think", "0.2"]
    distributed = ["--processes", str(processes)] if processes > 1 else []
    people = len(list(archway.api.pages("/users")))

    done = load(there, "--host", archway.up["proxy_url"], "--html", str(report), *size, *distributed)

    assert done.returncode == 0, done.stdout + done.stderr
    for name in ("legacy: GET stream opens", "legacy: tools/call", "modern: tools/call"):
        assert name in done.stderr
    assert "<html" in report.read_text()
    assert "| calls a second |" in (tmp_path / "report-sizing.md").read_text()
    assert len(list(archway.api.pages("/users"))) == people
    assert not list(archway.api.pages("/gateways"))
    assert not list(archway.api.pages("/entries"))


def test_without_a_deployment_it_says_what_to_set():
    done = load({})
    assert done.returncode == 2
    assert "set ARCHWAY_ADMIN_URL and ARCHWAY_ADMIN_TOKEN" in done.stderr


def test_a_folder_where_nothing_runs_is_named(tmp_path: Path):
    with pytest.raises(CannotLoad, match=f"nothing runs in {tmp_path}"):
        place({"ARCHWAY_STATE": str(tmp_path)})


def test_the_table_divides_what_was_read_by_what_was_answered():
    sizing = Sizing(place({"ARCHWAY_ADMIN_URL": "http://127.0.0.1:1", "ARCHWAY_ADMIN_TOKEN": "t"}))
    sizing.samples += [
        Sample(0.0, 1.0, 100.0, 0.0, 0.0, 50.0),
        Sample(5.0, 1.5, 110.0, 40.0, 500.0, 100.0),
        Sample(10.0, 2.0, 105.0, 0.0, 1000.0, 150.0),
    ]
    table = dict(row.strip("| ").split(" | ") for row in sizing.table(1000, 7).splitlines()[2:])
    assert table == {
        "calls a second": "100.0",
        "users": "7",
        "calls a second a core": "1,000",
        "CPU microseconds a call, lists and streams included": "1,000",
        "most open streams": "40.000",
        "MiB per stream, at most": "0.250",
        "Redis commands a call": "0.100",
        "Redis commands a second": "10.000",
        "records a day at this rate": "8,640,000",
    }
