"""One thing that the doctor found."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """What, why it matters, and the cure; `wrong` decides the exit status, the rest is good to know."""

    what: str
    why: str = ""
    cure: str = ""
    wrong: bool = True

    @property
    def line(self) -> str:
        """One line for a person."""
        mark = "wrong" if self.wrong else "note "
        return f"{mark}  " + "; ".join(part for part in (self.what, self.why, self.cure) if part)


def note(what: str, why: str = "", cure: str = "") -> Finding:
    """Worth knowing, not wrong."""
    return Finding(what, why, cure, wrong=False)
