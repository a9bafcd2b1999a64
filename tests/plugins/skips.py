"""A pytest plugin: a test that is skipped, or expected to fail, for a reason nobody agreed to fails the run.

The agreed reasons stand in `tests/allowed_skips.toml`: `[[allowed]]` tables with `reason` (exact text) and `why`.
A skip without this is how a test dies without anyone noticing. Works under xdist: reports arrive in the controller.
"""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

LIST = Path("tests") / "allowed_skips.toml"


def pytest_configure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(AgreedSkips(allowed_reasons(config.rootpath / LIST)), "agreed-skips")


def allowed_reasons(path: Path) -> frozenset[str]:
    """The agreed reasons; none if the file is missing. Each needs a `why`."""
    if not path.exists():
        return frozenset()
    entries = tomllib.loads(path.read_text(encoding="utf-8")).get("allowed", [])
    for entry in entries:
        if not entry.get("reason") or not entry.get("why"):
            raise pytest.UsageError(f"{path}: each [[allowed]] needs `reason` and `why`, this one has {entry}")
    return frozenset(entry["reason"] for entry in entries)


class AgreedSkips:
    """Watches the reports of one run."""

    def __init__(self, allowed: frozenset[str]) -> None:
        self._allowed = allowed
        self.unagreed: list[str] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self._judge(report)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        self._judge(report)

    def _judge(self, report: pytest.TestReport | pytest.CollectReport) -> None:
        if not report.skipped:
            return
        reason = _reason(report)
        if reason not in self._allowed:
            self.unagreed.append(f"{report.nodeid}: {reason!r}")

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if self.unagreed:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if not self.unagreed:
            return
        terminalreporter.section("skips that nobody agreed to", red=True)
        for line in self.unagreed:
            terminalreporter.line(line)
        terminalreporter.line(f"Make them run, or add the reason with its `why` to {LIST}.")


def _reason(report: pytest.TestReport | pytest.CollectReport) -> str:
    expected_failure = getattr(report, "wasxfail", None)
    if expected_failure is not None:
        return str(expected_failure).removeprefix("reason: ")
    longrepr = report.longrepr
    text = longrepr[2] if isinstance(longrepr, tuple) else str(longrepr)
    return text.removeprefix("Skipped: ")
