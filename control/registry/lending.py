"""Where a gateway lends a team's credential to others, in sentences for whoever set it up.

A tool that is pinned to a team's installation is called with that team's credential by everybody who sees the
gateway. That may be what its admins want, so it is a warning and no refusal. Called by the operations of gateways and
assignments; `control/store/lending.py` finds them. Leaves out personal installations: those are never lent.
"""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Lent:
    """One tool of a gateway that others than the team call with the team's credential."""

    assignment_id: str
    gateway_id: str
    exposed_name: str
    installation: str
    """Its name."""
    team: str
    """The name of the team whose installation it is."""
    others: tuple[str, ...]
    """Who else sees the gateway: names of teams, a person, or `everybody`."""


def lending_warnings(lent: Iterable[Lent]) -> list[str]:
    """A sentence for each installation that is lent, with the tools that lend it."""
    tools: dict[tuple[str, str, tuple[str, ...]], list[str]] = {}
    for one in lent:
        tools.setdefault((one.installation, one.team, one.others), []).append(one.exposed_name)
    return [
        f"{named(names)}: pinned to {installation!r} of the team {team!r}, so {spoken(others)} will call with that "
        "team's credential."
        for (installation, team, others), names in tools.items()
    ]


def named(names: list[str], most: int = 5) -> str:
    """The first names, and how many more there are."""
    more = len(names) - most
    return ", ".join(names[:most]) + (f" and {more} more" if more > 0 else "")


def spoken(others: Iterable[str]) -> str:
    """`Sales`, `Sales and Ops`, `A, B and C`."""
    *first, last = others
    return f"{', '.join(first)} and {last}" if first else last
