"""The suite's scenarios for OAuth clients (`auth/*`): how Archway gets tokens for the servers behind it.

The suite plays the server and its authorization server, and starts `oauth_driver.py` for each scenario, which is the
code that signs people in to servers with a client of MCP in front. Each scenario is run for the newest revision that
has it. What does not apply stands in `expected_failures_client.yml`. Called by `run.py`.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.conformance.authorization import SUITE
from tests.fixtures_upstreams import NODE, ROOT

KNOWN = Path(__file__).parent / "expected_failures_client.yml"
WITHIN_S = 120
AT_ONCE = 2
_LISTED = re.compile(r"^\s*- (auth/[\w-]+) \[([^\]]+)\]", re.MULTILINE)
_DATED = re.compile(r"\d{4}-\d{2}-\d{2}")


def scenarios() -> dict[str, str]:
    """All scenarios by name, with the newest revision that has it; '' for those of extensions."""
    listed = subprocess.run(
        [str(NODE), str(SUITE), "list", "--client"], capture_output=True, text=True, timeout=WITHIN_S, check=True
    )
    found = {name: max(_DATED.findall(revisions), default="") for name, revisions in _LISTED.findall(listed.stdout)}
    assert len(found) > 30, listed.stdout
    return found


def passes(scenario: str, revision: str) -> bool:
    """Whether the suite finds nothing wrong but what is known; else what it found is printed."""
    command = [str(NODE), str(SUITE), "client", "--scenario", scenario, "--timeout", str(WITHIN_S * 1000)]
    command += ["--command", f"{sys.executable} -P -m tests.conformance.oauth_driver"]
    command += ["--expected-failures", str(KNOWN), *(["--spec-version", revision] if revision else [])]
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)}
    ran = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=2 * WITHIN_S, check=False)
    if ran.returncode:
        print(ran.stdout, ran.stderr, flush=True)
    return ran.returncode == 0


def judged() -> dict[str, bool]:
    """By scenario, whether our OAuth towards servers does it, but for what is known."""
    found = scenarios()
    with ThreadPoolExecutor(AT_ONCE) as pool:
        good = pool.map(lambda one: passes(*one), found.items())
        return {f"{name} as a client": one for name, one in zip(found, good, strict=True)}


if __name__ == "__main__":
    for asked, fine in judged().items():
        print(f"conformance: {asked}: {'as expected' if fine else 'FAILED'}")
