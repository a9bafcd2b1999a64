"""Programs of the bench, run as a person runs them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def run_program(*words: str, timeout: float = 200, **environment: str) -> subprocess.CompletedProcess[str]:
    """`python -m` and these words, with this environment and none of our settings; its end and what it printed."""
    given = {name: text for name, text in os.environ.items() if not name.startswith(("ARCHWAY_", "BENCH_"))}
    return subprocess.run(
        [sys.executable, "-m", *words],
        cwd=ROOT,
        env={**given, **environment, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )
