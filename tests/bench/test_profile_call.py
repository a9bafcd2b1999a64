"""The profile of one call, from a real worker, for a moment."""

from __future__ import annotations

from tests.bench.conftest import run_program


def test_a_worker_under_load_says_which_functions_a_call_enters():
    done = run_program("bench.profile_call", "--lane", "fast", "--seconds", "0.5", BENCH_CALLERS="8")
    assert done.returncode == 0, done.stderr
    assert " us of CPU each while profiled" in done.stdout
    assert any(line.split()[2:] and "planned_call.py" in line for line in done.stdout.splitlines())
