"""What is wrong with an override: where, and why, so that a person finds the place and knows what to write."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from control.registry.override_text import written
from core.strict_yaml import Path

MOST: Final = 100
"""Of one reading; nobody reads more at a time."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing in an override that is refused."""

    path: str
    """As Kubernetes writes paths: `spec.template.spec.containers[0].image`; '' for the whole."""
    sentence: str
    """What is wrong, to be read behind the path."""
    line: int | None = None
    """Of the text, from 1; None where no single line is at fault."""

    def __str__(self) -> str:
        told = f"{self.path} {self.sentence}".lstrip()
        return told if self.line is None else f"line {self.line}: {told}"


class NotOverridden(Exception):
    """An override that is refused, with everything that is wrong with it."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__("; ".join(map(str, faults)))
        self.faults = tuple(faults)


class Faults:
    """What was found so far, each at its place in the text."""

    def __init__(self, lines: dict[Path, int]) -> None:
        self._lines = lines
        self.found: list[Fault] = []

    def add(self, path: Path, sentence: str) -> None:
        """Refuse what is at this path of the text; said only of the first MOST."""
        if len(self.found) < MOST:
            self.found.append(Fault(written(path), sentence, self._line(path)))

    def _line(self, path: Path) -> int | None:
        """Of what is there, or of the nearest that it is in."""
        return next((self._lines[path[:end]] for end in range(len(path), 0, -1) if path[:end] in self._lines), None)


def within(path: Path, faults: Sequence[Fault]) -> list[Fault]:
    """The same faults of what stands at this path of a whole."""
    root = written(path)
    return [replace(one, path=f"{root}.{one.path}" if one.path else root) for one in faults]
