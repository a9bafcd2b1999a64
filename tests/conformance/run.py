"""`make conformance`: the official MCP conformance suite against a gateway and the authorization server of a whole
Archway, for both eras, and against its OAuth towards servers.

Archway is started as a person starts it, in a state folder of its own; behind the gateway stands `server.py`, its
tools under their own names. What is known to fail is in `expected_failures_*.yml`, each with its reason; the exit
code is 1 where something else fails, or where something that is listed there passes.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from urllib.parse import urlsplit

from archway.up.ports import free_port
from tests.conformance import authorization, oauth_client
from tests.conformance.authorization import SUITE
from tests.fixtures_archway import archway_up
from tests.fixtures_upstreams import NODE, ROOT, answering, running

HERE = Path(__file__).parent
SUITE_S = 600
UNSCORED = {
    "2025-11-25": ("server-session-lifecycle", "json-schema-2020-12"),
    "2026-07-28": ("http-header-validation", "http-custom-header-server-validation", "json-schema-2020-12"),
}
"""By revision: what the suite runs and does not count, and what we count. Tasks are an extension, which we lack."""


def passes(url: str, token: str, *arguments: str) -> bool:
    """Whether the suite finds nothing wrong; it prints what it finds."""
    environment = {
        "PATH": os.environ["PATH"],
        "ARCHWAY_HOST": urlsplit(url).netloc,
        "ARCHWAY_TOKEN": token,
        "ARCHWAY_SUITE": str(SUITE),
        "NODE_OPTIONS": f"--import {HERE / 'bearer.mjs'}",
    }
    command = [str(NODE), str(SUITE), "server", "--url", url, *arguments]
    return subprocess.run(command, env=environment, timeout=SUITE_S, check=False).returncode == 0


def judged(url: str, token: str) -> dict[str, bool]:
    """By what was asked, whether the gateway does it, but for what is known."""
    found = {}
    for revision, scenarios in UNSCORED.items():
        known = str(HERE / f"expected_failures_{revision}.yml")
        asked = ("--requirements", revision, "--expected-failures", known)
        found[f"what {revision} requires"] = passes(url, token, *asked)
        for scenario in scenarios:
            asked = ("--scenario", scenario, "--spec-version", revision)
            found[f"{scenario} of {revision}"] = passes(url, token, *asked)
    return found


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        port, log = free_port(), Path(folder, "server.log")
        command = [sys.executable, "-P", "-m", "tests.conformance.server", str(port)]
        state = Path(folder, "state")
        with running(command, {"PYTHONPATH": str(ROOT)}, log) as process, archway_up(state) as archway:
            server = archway.entry("suite", answering(f"http://127.0.0.1:{port}/mcp", process, log))
            url = archway.gateway("suite", server, prefix=False)
            found = judged(url, archway.token()) | authorization.judged(archway, url) | oauth_client.judged()
    print()
    for asked, good in found.items():
        print(f"conformance: {asked}: {'as expected' if good else 'FAILED'}")
    return 0 if all(found.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
