"""Where an answer or a credential goes, so that each place is filled by one source.

A header of every request; an environment variable, or a file, of a server that we run. Called by the rules of
entries, fields and credentials.
"""

from typing import Literal, NamedTuple

TargetKind = Literal["header", "variable", "file"]


class Target(NamedTuple):
    """One place that one source fills."""

    kind: TargetKind
    name: str
    """As it is stored: of a header in lower case."""

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"


def header(name: str) -> Target:
    """A header of this name, in lower case."""
    return Target("header", name)
