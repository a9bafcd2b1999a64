"""Which ways in beside a password the sign-in page offers: one button each.

Called by `routes.py`. Single sign-on adds its identity providers here.
"""

from dataclasses import dataclass

from control.store.pool import Connection


@dataclass(frozen=True, slots=True)
class Way:
    """A way in: what its button says, and where it leads."""

    name: str
    url: str


async def ways_in(_connection: Connection, _return_to: str) -> list[Way]:
    """All ways in beside a password, in the order of the page."""
    return []
