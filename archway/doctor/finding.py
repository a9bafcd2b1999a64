"""One thing that the doctor found."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found, why it matters, and the cure; `wrong` decides the exit status, the rest is good to know."""

    what: str
    why: str = ""
    cure: str = ""
    wrong: bool = True

    @property
    def line(self) -> str:
        """The finding as one line for a person."""
        mark = "wrong" if self.wrong else "note "
        return f"{mark}  " + "; ".join(part for part in (self.what, self.why, self.cure) if part)


def note(what: str, why: str = "", cure: str = "") -> Finding:
    """A finding that is worth knowing and nothing wrong."""
    return Finding(what, why, cure, wrong=False)
