"""Gateways that a page of something else names, such as those that an OAuth client reaches: by name where the person
sees them, and for the rest how many there are.

Called by the pages of identity providers and OAuth clients. What is visible is judged as for the admin API.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from control.registry.access import Caller
from control.registry.gateway import Gateway
from control.registry.visibility import sees


@dataclass(frozen=True, slots=True)
class SeenGateways:
    """Some gateways, as one person may be told of them."""

    seen: tuple[Gateway, ...] = ()
    hidden: int = 0
    """How many there are besides, which the person does not see."""

    def __bool__(self) -> bool:
        return bool(self.seen or self.hidden)

    @property
    def names(self) -> list[str]:
        """For a sentence or a list: each name, and the others together."""
        others = ["a gateway of others" if self.hidden == 1 else f"{self.hidden} gateways of others"]
        return [one.name for one in self.seen] + (others if self.hidden else [])


def seen_by(caller: Caller, found: Iterable[Gateway]) -> SeenGateways:
    """The gateways as this person may be told of them."""
    every = list(found)
    seen = tuple(
        one for one in every if sees(caller, "gateway:read", one.visibility, one.teams, one.owner_id)
    )  # fmt: skip
    return SeenGateways(seen, len(every) - len(seen))
