"""What refreshes cost: a few of them on a real deployment, without a look at the figures."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_both_forms_of_asking_again_are_told_apart_for_everybody_and_by_their_questions():
    given = {name: text for name, text in os.environ.items() if not name.startswith("ARCHWAY_")}
    done = subprocess.run(
        [sys.executable, "-m", "bench.refreshing", "--rounds", "1", "--tokens", "12"],
        cwd=ROOT,
        env={**given, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found = dict(line.split(": ") for line in done.stdout.splitlines() if ": " in line)
    for kind in ("tokens", "installations"):
        assert float(found[f"{kind}_in_lists_questions"]) < float(found[f"{kind}_one_by_one_questions"])
        for who in ("proxy", "control", "postgres", "redis"):
            assert float(found[f"{kind}_in_lists_{who}_us_per_refresh"]) >= 0
