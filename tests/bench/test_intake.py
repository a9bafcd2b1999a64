"""What keeping records costs behind the proxy: a few batches on a real deployment, without a look at the figures."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_each_form_of_a_batch_is_taken_and_told_apart_for_everybody_behind_the_proxy():
    given = {name: text for name, text in os.environ.items() if not name.startswith("ARCHWAY_")}
    done = subprocess.run(
        [sys.executable, "-m", "bench.intake", "--rounds", "1", "--batches", "3", "--records", "20"],
        cwd=ROOT,
        env={**given, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found = dict(line.split(": ") for line in done.stdout.splitlines())
    assert {name.partition("_")[0] for name in found} == {"whole", "rows"}
    for who in ("control", "postgres", "redis"):
        assert float(found[f"rows_{who}_us_per_record"]) >= 0
    assert float(found["whole_bytes_per_record"]) > 500
