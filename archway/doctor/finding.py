"""One thing that the doctor looked at, and what it found."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Level = Literal["ok", "warning", "failed"]


@dataclass(frozen=True, slots=True)
class Finding:
    """What was looked at or found, why it matters, and the cure. `failed` decides the exit status."""

    what: str
    why: str = ""
    cure: str = ""
    level: Level = "failed"

    @property
    def wrong(self) -> bool:
        """Whether something does not work because of it."""
        return self.level == "failed"

    @property
    def line(self) -> str:
        """The finding as one line for a person."""
        return f"{self.level:<7}  " + "; ".join(part for part in (self.what, self.why, self.cure) if part)


def note(what: str, why: str = "", cure: str = "") -> Finding:
    """A finding that is worth knowing and nothing wrong."""
    return Finding(what, why, cure, "warning")


def looked(at: str, found: Sequence[Finding]) -> list[Finding]:
    """What was found; where that is nothing, a line which says that this was looked at and is well."""
    return list(found) or [Finding(at, level="ok")]
