"""What a discovery found that the entry did not have so: tools that are new, changed, or no longer listed.

Made by `control/store/writes/tools.py`, which knows both sides, and told by the installation, the entry and the audit
trail, each in its own words. Leaves out what differs in a definition: `definition_differences.py`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from control.registry.definition_differences import differences

MOST_NAMED: Final = 100
MOST_COMPARED: Final = 20
"""Changed tools whose differences stand in one line of the audit trail; each tool itself tells its own."""


@dataclass(frozen=True, slots=True)
class ChangedTool:
    """A tool whose definition is another one than the entry had."""

    name: str
    before: Mapping[str, Any]
    after: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class News:
    """What was found, by the names of the tools in the order in which the server lists them."""

    added: tuple[str, ...] = ()
    """New, or listed again."""
    changed: tuple[ChangedTool, ...] = ()
    gone: tuple[str, ...] = ()
    """No longer listed."""
    shown_otherwise: bool = False
    """Whether gateways must hear of it: a definition is new, or kept otherwise than before."""

    def __bool__(self) -> bool:
        return bool(self.added or self.changed or self.gone)

    def names(self) -> dict[str, list[str]]:
        """For the installation and the entry: names alone, and not too many."""
        return {
            "added": named(self.added),
            "changed": named([one.name for one in self.changed]),
            "gone": named(self.gone),
        }

    def recorded(self) -> dict[str, Any]:
        """For the audit trail: names, and what differs."""
        compared = [
            {"name": one.name, "differences": [asdict(place) for place in differences(one.before, one.after)]}
            for one in self.changed[:MOST_COMPARED]
        ]
        return {**self.names(), "differences": compared}


def named(names: Sequence[str], most: int = MOST_NAMED) -> list[str]:
    """At most so many names, and how many there are more."""
    more = len(names) - most
    return [*names[:most], *([f"and {more} more"] if more > 0 else [])]
