"""`make conformance`: the official MCP conformance suite against gateways and the authorization server of a whole
Archway, for both eras, and against its own side towards servers, OAuth and all else.

Archway is started as a person starts it, in a state folder of its own; behind each gateway stands `server.py`, all
that it has under its own names, once spoken to in each era: so each revision is asked for straight, and crossed with
a server of the other era. What is known to fail is in `expected_failures_*.yml`, each with its reason; the exit
code is 1 where something else fails, or where something that is listed there passes.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from archway.up.ports import free_port
from tests.conformance import authorization, oauth_client, upstream_client
from tests.conformance.authorization import SUITE
from tests.conformance.list_changes import write_down
from tests.fixtures_archway import RunningArchway, archway_up
from tests.fixtures_upstreams import NODE, ROOT, answering, running

HERE = Path(__file__).parent
SUITE_S = 600
ERAS = {"2025-11-25": "legacy", "2026-07-28": "2026-07-28"}
"""The era to which a revision belongs, as installations are pinned to it."""
_CROSSED = "_crossed"
_SCENARIO = re.compile(r"^([✓✗]) ([\w:-]+): \d+ passed, \d+ failed$", re.MULTILINE)
_SERVER = re.compile(r"^server:\n((?:  - [\w:-]+\n)+)", re.MULTILINE)
"""What a server must pass, in a file of requirements of the suite."""
UNSCORED = {
    "2025-11-25": ("server-session-lifecycle", "json-schema-2020-12", "server-sse-polling"),
    "2026-07-28": (
        *("http-header-validation", "http-custom-header-server-validation", "json-schema-2020-12"),
        *("tasks-lifecycle", "tasks-capability-negotiation", "tasks-wire-fields", "tasks-request-state-removal"),
        *("tasks-mrtr-input", "tasks-request-headers", "tasks-dispatch-and-envelope", "tasks-required-task-error"),
        "tasks-mrtr-composition",
    ),
}
"""By revision: what the suite runs and does not count, and what we count. Of the scenarios of tasks one is left out,
`tasks-status-notifications`, in which the suite asks nothing yet.

`server-sse-polling` finds an answer as JSON, which it takes: the server's own stream is polled by the gateway.
"""


@dataclass(frozen=True)
class Run:
    """What the suite said of one gateway, in one revision."""

    as_expected: bool
    """Whether nothing failed that is not known to, and nothing that is known to passed."""
    passed: frozenset[str]
    """Scenarios."""

    def score(self, wanted: Sequence[str]) -> str:
        """As in `30/30`."""
        return f"{len(self.passed.intersection(wanted))}/{len(wanted)}"


def run(url: str, token: str, *arguments: str) -> Run:
    """Run the suite; it prints what it finds."""
    environment = {
        "PATH": os.environ["PATH"],
        "ARCHWAY_HOST": urlsplit(url).netloc,
        "ARCHWAY_TOKEN": token,
        "ARCHWAY_SUITE": str(SUITE),
        "NODE_OPTIONS": f"--import {HERE / 'bearer.mjs'}",
    }
    command = [str(NODE), str(SUITE), "server", "--url", url, *arguments]
    done = subprocess.run(command, env=environment, timeout=SUITE_S, check=False, capture_output=True, text=True)
    print(done.stdout, done.stderr, sep="\n", flush=True)
    passed = frozenset(name for mark, name in _SCENARIO.findall(done.stdout) if mark == "✓")
    return Run(done.returncode == 0, passed)


def required(revision: str) -> list[str]:
    """The scenarios that a server of this revision must pass."""
    found = _SERVER.search((SUITE.parent.parent / "requirements" / f"{revision}.yaml").read_text())
    assert found is not None
    return [line.removeprefix("  - ") for line in found[1].splitlines()]


def of_gateways(urls: dict[str, str], token: str) -> Iterator[tuple[str, Run]]:
    """By what was asked: each revision of a server that speaks it, then of one that speaks the other era alone."""
    for revision, era in ERAS.items():
        known = str(HERE / f"expected_failures_{revision}.yml")
        yield revision, run(urls[era], token, "--requirements", revision, "--expected-failures", known)
    for revision, era in ERAS.items():
        other = next(url for name, url in urls.items() if name != era)
        known = str(HERE / f"expected_failures_{revision}{_CROSSED}.yml")
        yield f"{revision}{_CROSSED}", run(other, token, "--requirements", revision, "--expected-failures", known)


def judged(urls: dict[str, str], token: str) -> tuple[dict[str, bool], list[str]]:
    """Whether the gateways do what was asked, but for what is known; and the scores."""
    found, scores = {}, []
    for name, one in of_gateways(urls, token):
        found[f"what {name} requires"] = one.as_expected
        scores.append(f"conformance_{name}: {one.score(required(name.removesuffix(_CROSSED)))}")
    for revision, scenarios in UNSCORED.items():
        for scenario in scenarios:
            asked = ("--scenario", scenario, "--spec-version", revision, "--force")  # that of an extension, too
            found[f"{scenario} of {revision}"] = run(urls[ERAS[revision]], token, *asked).as_expected
    return found, scores


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        port, log, administered = free_port(), Path(folder, "server.log"), Path(folder, "administered.json")
        command = [sys.executable, "-P", "-m", "tests.conformance.server", str(port), str(administered)]
        state = Path(folder, "state")
        with running(command, {"PYTHONPATH": str(ROOT)}, log) as process, archway_up(state) as archway:
            at = answering(f"http://127.0.0.1:{port}/mcp", process, log)
            urls = {era: _gateway(archway, era, at) for era in ERAS.values()}
            write_down(administered, archway.api)
            found, scores = judged(urls, archway.token())
            found |= authorization.judged(archway, urls["legacy"]) | oauth_client.judged()
            found |= upstream_client.judged(archway, state / "up.json")
    print()
    for asked, good in found.items():
        print(f"conformance: {asked}: {'as expected' if good else 'FAILED'}")
    print(*scores, sep="\n")
    return 0 if all(found.values()) else 1


def _gateway(archway: RunningArchway, era: str, server: str) -> str:
    """A gateway with everything of the server, spoken to in one era, under its own names."""
    slug = f"suite-{era}"
    installed = archway.entry(slug, server, protocol=era)
    tools = ["*", "all_resources", "all_prompts"]
    return archway.gateway(slug, installed, prefix=False, tools=tools, may_ask=["elicitation", "sampling", "roots"])


if __name__ == "__main__":
    sys.exit(main())
