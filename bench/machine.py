"""The facts without which a figure means nothing: what it was measured on, with what, and when."""

import os
import platform
import subprocess
import sys
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

from bench.nginx import BINARY
from bench.plan import Plan
from bench.processes import ROOT

_PACKAGES = ("uvloop", "httptools", "orjson", "aiohttp", "msgspec")


def facts(plan: Plan) -> dict[str, Any]:
    """For the head of the JSON."""
    return {
        "when": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "commit": _said("git", "rev-parse", "--short", "HEAD"),
        "uncommitted_changes": bool(_said("git", "status", "--porcelain", "--untracked-files=no")),
        "command": " ".join(["python", "-m", "bench.run", *sys.argv[1:]]),
        "bench_environment": {name: text for name, text in os.environ.items() if name.startswith("BENCH_")},
        "system": platform.platform(),
        "processor": _processor(),
        "cores": os.cpu_count(),
        "memory_gib": round(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / (1 << 30), 1),
        "python": platform.python_version(),
        "packages": {name: _version(name) for name in _PACKAGES},
        "nginx": _said(BINARY, "-v").rpartition("/")[2] if BINARY else "not installed",
        "load_before": round(os.getloadavg()[0], 2),
        "proxy_pinned_to_one_core": plan.pin,
        "control_and_database": "at the lowest priority, on the cores of the load",
        "generator": "bench/load.py and bench/open_load.py (closed and open loop)",
        "rounds": plan.rounds,
        "seconds": plan.seconds,
        "callers": plan.callers,
    }


def _said(*command: str) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=10, check=False)
    except OSError:
        return ""
    return (done.stdout or done.stderr).strip()


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def _version(package: str) -> str:
    try:
        return version(package)
    except ModuleNotFoundError:
        return "not installed"
