"""The suite's scenarios for clients that are no sign-in: what our side towards servers does, through a gateway.

The suite plays the server, and starts `upstream_driver.py` for each scenario. Each is run for the newest revision
that has it; those of extensions are left out. What does not apply stands in `expected_failures_upstream.yml`. Called
by `run.py`.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

from tests.conformance.oauth_client import listed, passes
from tests.fixtures_archway import RunningArchway, archway_up

KNOWN = Path(__file__).parent / "expected_failures_upstream.yml"
COMMAND = f"{sys.executable} -P -m tests.conformance.upstream_driver"


def judged(archway: RunningArchway, up: Path) -> dict[str, bool]:
    """By scenario, whether our side towards servers does it, but for what is known. `up`: of this Archway."""
    environment = {"ARCHWAY_UP": str(up), "ARCHWAY_TOKEN": archway.token(), "HOME": os.environ.get("HOME", "/")}
    return {
        f"{name} towards a server": passes(name, revision, COMMAND, KNOWN, environment)
        for name, revision in listed().items()
        if revision and not name.startswith("auth/")
    }


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        state = Path(folder, "state")
        with archway_up(state) as running:
            for asked, fine in judged(running, state / "up.json").items():
                print(f"conformance: {asked}: {'as expected' if fine else 'FAILED'}")
