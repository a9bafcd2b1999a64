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
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import MappingProxyType

from tests.conformance.authorization import SUITE
from tests.fixtures_upstreams import NODE, ROOT

KNOWN = Path(__file__).parent / "expected_failures_client.yml"
NOTHING: Mapping[str, str] = MappingProxyType({})
WITHIN_S = 120
AT_ONCE = 2
COMMAND = f"{sys.executable} -P -m tests.conformance.oauth_driver"
_LISTED = re.compile(r"^\s*- ([\w/-]+) \[([^\]]+)\]", re.MULTILINE)
_DATED = re.compile(r"\d{4}-\d{2}-\d{2}")


def listed() -> dict[str, str]:
    """All scenarios for clients by name, with the newest revision that has it; '' for those of extensions."""
    said = subprocess.run(
        [str(NODE), str(SUITE), "list", "--client"], capture_output=True, text=True, timeout=WITHIN_S, check=True
    )
    found = {name: max(_DATED.findall(revisions), default="") for name, revisions in _LISTED.findall(said.stdout)}
    assert len(found) > 40, said.stdout
    return found


def passes(scenario: str, revision: str, driver: str, known: Path, told: Mapping[str, str] = NOTHING) -> bool:
    """Whether the suite finds nothing wrong but what is known; else what it found is printed.

    `driver`: the command that the suite starts, with `told` in its environment.
    """
    command = [str(NODE), str(SUITE), "client", "--scenario", scenario, "--timeout", str(WITHIN_S * 1000)]
    command += ["--command", driver]
    command += ["--expected-failures", str(known), *(["--spec-version", revision] if revision else [])]
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), **told}
    ran = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=2 * WITHIN_S, check=False)
    if ran.returncode:
        print(ran.stdout, ran.stderr, flush=True)
    return ran.returncode == 0


def judged() -> dict[str, bool]:
    """By scenario, whether our OAuth towards servers does it, but for what is known."""
    found = {name: revision for name, revision in listed().items() if name.startswith("auth/")}
    with ThreadPoolExecutor(AT_ONCE) as pool:
        good = pool.map(lambda one: passes(*one, COMMAND, KNOWN), found.items())
        return {f"{name} as a client": one for name, one in zip(found, good, strict=True)}


if __name__ == "__main__":
    for asked, fine in judged().items():
        print(f"conformance: {asked}: {'as expected' if fine else 'FAILED'}")
