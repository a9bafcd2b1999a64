"""What one call costs in user space, measured inside one process: a figure that repeats."""

import re
import subprocess
import sys

from bench.processes import ROOT
from bench.rows.found import Found
from bench.stand import Stand

_LINE = re.compile(r"^(in_process_[a-z_]+): ([\d.]+)$", re.MULTILINE)
_FORMS = ("json", "stream", "legacy")


def in_process(_: Stand) -> Found:
    """Least of batches, by the plan and through all stages; prints `in_process_FORM_us`."""
    lines = measured() | {f"{name}_without_plans": cost for name, cost in measured("--without-plans").items()}
    return Found(lines, lines)


def measured(*more: str) -> dict[str, float]:
    """The lines of `python -m bench.in_process` for every form."""
    command = [sys.executable, "-m", "bench.in_process", *more]
    for form in _FORMS:
        command += ["--form", form]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, check=True, timeout=300, text=True)
    return {name: float(cost) for name, cost in _LINE.findall(done.stdout)}
