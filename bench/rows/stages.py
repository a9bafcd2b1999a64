"""What each stage of one call costs, measured inside one process."""

import importlib.util
import re
import subprocess
import sys

from bench.processes import ROOT
from bench.rows.found import Found
from bench.stand import Stand

_LINE = re.compile(r"^([a-z_ ]*[a-z]) +([\d.]+) us", re.MULTILINE)


def stages(stand: Stand) -> Found:
    """Runs `bench.stages`, which prints `name  1.23 us` for each stage, and for all together."""
    if importlib.util.find_spec("bench.stages") is None:
        stand.notes.append("bench/stages.py is not there: the cost of each stage was left out.")
        return Found({})
    command = [sys.executable, "-m", "bench.stages"]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, check=True, timeout=120, text=True)
    costs = {name.replace(" ", "_"): float(cost) for name, cost in _LINE.findall(done.stdout)}
    return Found({f"stage_{name}_us": cost for name, cost in costs.items()}, costs)
