"""What a run leaves behind: JSON with the machine's facts and every round, a plot, and lines `name: value`."""

import json
import re
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.plot import plot
from bench.processes import ROOT
from bench.rows.found import Found

RESULTS = ROOT / "bench" / "results"


@dataclass
class Report:
    """Filled row by row, so that a run that is broken off still leaves what it found."""

    facts: dict[str, Any]
    folder: Path = RESULTS
    rows: dict[str, Any] = field(default_factory=dict)
    took_s: dict[str, float] = field(default_factory=dict)
    lines: dict[str, float] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)

    def add(self, row: str, found: Found, took_s: float) -> None:
        """One row's result."""
        self.rows[row] = found.seen
        self.took_s[row] = round(took_s, 1)
        self.lines |= found.lines

    def write(self) -> list[Path]:
        """JSON and plot, named for the day and the commit; paths of both."""
        self.folder.mkdir(parents=True, exist_ok=True)
        name = f"{time.strftime('%Y-%m-%d-%H%M', time.gmtime())}-{self.facts['commit'] or 'unknown'}"
        target = self.folder / f"{name}.json"
        document = {
            "facts": self.facts,
            "lines": {line: round(value, 4) for line, value in self.lines.items()},
            "notes": self.notes,
            "failed": self.failed,
            "took_s": self.took_s,
            "rows": _rounded(self.rows),
        }
        target.write_text(json.dumps(document, indent=1) + "\n")
        return [target, *([drawn] if (drawn := plot(self.lines, self.facts, target.with_suffix(".svg"))) else [])]

    def print_lines(self) -> None:
        """Notes, then every line; the ratios come last, and of these the one to nginx."""
        for note in self.notes:
            print(f"note: {note}")
        for failed in self.failed:
            print(f"failed: {failed}")
        for name, value in sorted(self.lines.items(), key=_place):
            print(f"{name}: {value:.2f}")


def _place(line: tuple[str, float]) -> int:
    name = line[0]
    return 2 * (name == "ratio_to_nginx") or bool(re.search(r"(^|_)ratio(_|$)", name))


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return round(value, 3)
    if isinstance(value, dict):
        return {name: _rounded(one) for name, one in value.items()}
    return [_rounded(one) for one in value] if isinstance(value, list) else value
