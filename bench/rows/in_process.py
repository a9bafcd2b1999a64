"""What one call costs in user space, measured inside one process: a figure that repeats."""

import re
import subprocess
import sys
from collections.abc import Sequence

from bench.processes import ROOT
from bench.rows.found import Found
from bench.stand import Stand

_LINE = re.compile(r"^(in_process_[a-z_]+): ([\d.]+)$", re.MULTILINE)
_FORMS = ("json", "stream", "legacy")
_CLIENTS = {"modern": "json", "legacy": "legacy"}
"""By era, the form of their calls."""


def in_process(_: Stand) -> Found:
    """Least of batches, by the plan and through all stages; prints `in_process_FORM_us`."""
    lines = measured() | {f"{name}_without_plans": cost for name, cost in measured("--without-plans").items()}
    return Found(lines, lines)


def cells(stand: Stand) -> Found:
    """A call of each client at each server, modern and legacy; the crossed ones also as ratios to the straight ones.

    Rounds alternate, of each cell the least counts.
    """
    seen: dict[str, list[float]] = {f"{client}_to_{server}": [] for client in _CLIENTS for server in _CLIENTS}
    for _ in range(stand.plan.few_rounds):
        for server in _CLIENTS:
            costs = measured("--server", server, forms=tuple(_CLIENTS.values()))
            for client, form in _CLIENTS.items():
                seen[f"{client}_to_{server}"].append(costs[f"in_process_{form}_us"])
    least = {cell: min(costs) for cell, costs in seen.items()}
    lines = {f"cell_{cell}_us": cost for cell, cost in least.items()}
    lines["modern_to_legacy_ratio_to_straight"] = least["modern_to_legacy"] / least["modern_to_modern"]
    lines["legacy_to_modern_ratio_to_straight"] = least["legacy_to_modern"] / least["legacy_to_legacy"]
    return Found(lines, seen)


def measured(*more: str, forms: Sequence[str] = _FORMS) -> dict[str, float]:
    """The lines of `python -m bench.in_process` for these forms."""
    command = [sys.executable, "-m", "bench.in_process", *more]
    for form in forms:
        command += ["--form", form]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, check=True, timeout=300, text=True)
    return {name: float(cost) for name, cost in _LINE.findall(done.stdout)}
