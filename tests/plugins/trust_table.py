"""A pytest plugin: the table of trust rows, and the refusal of a run that leaves an input of a row untested.

- `tests/trust/rows/*.toml`: a table per row of the trust checklist, `[S-1]` with `inputs = ["127.0.0.0/8", ...]`,
  which `make test` proves; in `rows/faults/`, the same of those that `make faults` does.
- A test that covers an input carries `S-1: 127.0.0.0/8` in its id: `pytest.param(..., id="S-1: 127.0.0.0/8")`.
- `tests/trust/not_yet_built.toml`, same form: inputs of parts that do not exist yet. Who builds the part takes
  its inputs out: an input that stands there and has a passing case fails the run too.
- A case that is skipped counts as none and fails nothing here; which skips are allowed, `skips.py` judges.
- `tests/trust/wanted.toml`: `rows = [...]`, the rows that must have a table at all.

`--trust-table=test` and `--trust-table=faults` (given by the command of that name, because only a whole run can be
judged) print the table and judge: each run the inputs that it is to prove, so that both together prove every one.
Under xdist the controller counts, from the reports that it is sent.
"""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

FOLDER = Path("tests") / "trust"
ROWS = {"test": Path("rows"), "faults": Path("rows") / "faults"}
"""Where the inputs stand that a run proves."""
# A case in a test id: at the start of the bracket or behind another parameter's id.
CASE = re.compile(r"\[(?:.*?-)?([A-Z]-\d+): (.*)\]$", re.DOTALL)
ROW_ORDER = re.compile(r"([A-Z])-(\d+)")

Inputs = Mapping[str, tuple[str, ...]]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--trust-table",
        choices=tuple(ROWS),
        help="print the table of trust rows and fail if an input that this run is to prove has no case",
    )


def pytest_configure(config: pytest.Config) -> None:
    run = config.getoption("--trust-table")
    if run and not hasattr(config, "workerinput"):
        config.pluginmanager.register(Watch(load(config.rootpath / FOLDER, run)), "trust-table-watch")


@dataclass(slots=True)
class TrustTable:
    """What must be covered, and what the run has covered so far."""

    rows: Inputs
    """What this run is to prove."""
    not_yet_built: Inputs
    elsewhere: Inputs = field(default_factory=dict)
    """What the other run proves."""
    wanted: tuple[str, ...] = ()
    passed: Counter[tuple[str, str]] = field(default_factory=Counter)
    skipped: set[tuple[str, str]] = field(default_factory=set)
    """What cannot be proved here; a reason that is not allowed fails the run already (`skips.py`)."""
    strangers: list[str] = field(default_factory=list)  # ids that name no known row or input

    def note(self, nodeid: str, *, skipped: bool = False) -> None:
        """Count a passed or skipped test if its id names an input."""
        found = CASE.search(nodeid)
        if found is None:
            return
        row, rest = found.groups()
        known = sorted((*self.rows.get(row, ()), *self.elsewhere.get(row, ())), key=len, reverse=True)
        # Another parameter's id may follow, joined by a dash.
        match = next((one for one in known if rest == one or rest.startswith(f"{one}-")), None)
        if match is None:
            self.strangers.append(nodeid)
        elif skipped:
            self.skipped.add((row, match))
        else:
            self.passed[row, match] += 1

    def faults(self) -> list[str]:
        """Everything that makes the run fail, one sentence each with its cure."""
        tables = {*self.rows, *self.elsewhere}
        found = [f"{row} is wanted and has no table in {FOLDER}/rows" for row in self.wanted if row not in tables]
        found += [f"{nodeid} names a row or input that no file in {FOLDER}/rows has" for nodeid in self.strangers]
        for row, inputs in self.rows.items():
            later = self.not_yet_built.get(row, ())
            if not inputs:
                found.append(f"{row} names no input; a row without inputs proves nothing")
            for one in inputs:
                if one not in later and not self.passed[row, one] and (row, one) not in self.skipped:
                    found.append(f"{row}: {one} has no passed case")
                if one in later and self.passed[row, one]:
                    found.append(f"{row}: {one} has a passed case; take it out of not_yet_built.toml")
        for row, later in self.not_yet_built.items():
            known = (*self.rows.get(row, ()), *self.elsewhere.get(row, ()))
            unknown = [one for one in later if one not in known]
            found += [f"{row}: {one} stands in not_yet_built.toml but not in the row" for one in unknown]
        return found

    def lines(self) -> list[str]:
        """The table for people: row, inputs, inputs covered, cases passed, not yet built, proved by the other run."""
        lines = [f"{'row':<6}{'inputs':>8}{'covered':>9}{'cases':>7}{'not yet built':>15}{'elsewhere':>11}"]
        for row in sorted({*self.rows, *self.elsewhere, *self.wanted}, key=_order):
            inputs = self.rows.get(row, ())
            covered = sum(1 for one in inputs if self.passed[row, one])
            cases = sum(self.passed[row, one] for one in inputs)
            later, elsewhere = len(self.not_yet_built.get(row, ())), len(self.elsewhere.get(row, ()))
            lines.append(f"{row:<6}{len(inputs):>8}{covered:>9}{cases:>7}{later or '':>15}{elsewhere or '':>11}")
        return lines


class Watch:
    """Feeds the table from the reports of one run and judges at its end."""

    def __init__(self, table: TrustTable) -> None:
        self._table = table

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.skipped or (report.when == "call" and report.passed):
            self._table.note(report.nodeid, skipped=report.skipped)

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if self._table.faults():
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        terminalreporter.section("trust rows")
        for line in self._table.lines():
            terminalreporter.line(line)
        for fault in self._table.faults():
            terminalreporter.line(f"TRUST: {fault}", red=True)


def load(folder: Path, run: str) -> TrustTable:
    """Read the files for this run; UsageError names the file that is wrong."""
    later, wanted = folder / "not_yet_built.toml", folder / "wanted.toml"
    (other,) = (name for name in ROWS if name != run)
    return TrustTable(
        _rows(folder / ROWS[run]),
        _inputs(later) if later.exists() else {},
        _rows(folder / ROWS[other]),
        tuple(_toml(wanted)["rows"]) if wanted.exists() else (),  # type: ignore[arg-type]  # checked by `_order`
    )


def _rows(folder: Path) -> dict[str, tuple[str, ...]]:
    """The rows of a folder's files; one may be spread over several."""
    rows: dict[str, tuple[str, ...]] = {}
    for path in sorted(folder.glob("*.toml")):
        for row, inputs in _inputs(path).items():
            rows[row] = tuple(dict.fromkeys((*rows.get(row, ()), *inputs)))
    return rows


def _inputs(path: Path) -> dict[str, tuple[str, ...]]:
    return {row: tuple(map(_as_in_ids, _listed(path, row, table))) for row, table in _toml(path).items()}


def _listed(path: Path, row: str, table: object) -> list[str]:
    inputs = table.get("inputs") if isinstance(table, dict) else None
    if not ROW_ORDER.fullmatch(row) or not isinstance(inputs, list) or not all(isinstance(i, str) for i in inputs):
        raise pytest.UsageError(f'{path}: [{row}] must be a row such as [S-1] with inputs = ["..."]')
    return inputs


def _toml(path: Path) -> dict[str, object]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as wrong:
        raise pytest.UsageError(f"{path}: {wrong}") from wrong


def _as_in_ids(text: str) -> str:
    """pytest writes what is not ASCII, and control characters, as escapes into test ids."""
    return text.encode("unicode_escape").decode("ascii")


def _order(row: str) -> tuple[str, int]:
    letter, number = ROW_ORDER.fullmatch(row).groups()  # type: ignore[union-attr]  # rows are checked when read
    return letter, int(number)
