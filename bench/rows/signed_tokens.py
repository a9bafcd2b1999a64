"""What a call costs by what its caller shows, measured inside one process: ratios to a static token."""

import re
import subprocess
import sys

from bench.processes import ROOT
from bench.rows.found import Found
from bench.stand import Stand

_LINE = re.compile(r"^(signed_tokens_[a-z_]+): ([\d.]+)$", re.MULTILINE)
_BATCHES_A_SECOND = 32


def signed_tokens(stand: Stand) -> Found:
    """Runs `bench.signed_tokens`, which prints a line for each way, warm and at its first call."""
    batches = max(10, int(_BATCHES_A_SECOND * stand.plan.seconds * stand.plan.rounds))
    command = [sys.executable, "-m", "bench.signed_tokens", "--batches", str(batches)]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, check=True, timeout=600, text=True)
    lines = {name: float(value) for name, value in _LINE.findall(done.stdout)}
    return Found(lines, lines)
