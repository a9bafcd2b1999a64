"""The profile of one call, from a real worker, for a moment."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_a_worker_under_load_says_which_functions_a_call_enters():
    given = {name: text for name, text in os.environ.items() if not name.startswith("ARCHWAY_")}
    done = subprocess.run(
        [sys.executable, "-m", "bench.profile_call", "--lane", "fast", "--seconds", "0.5"],
        cwd=ROOT,
        env={**given, "BENCH_CALLERS": "8", "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert " us of CPU each while profiled" in done.stdout
    assert any(line.split()[2:] and "planned_call.py" in line for line in done.stdout.splitlines())
