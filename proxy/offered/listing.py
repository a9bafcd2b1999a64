"""What a caller is shown of one list of a gateway's offers, and of which servers nothing could be had."""

from dataclasses import dataclass
from typing import Final

from core.mcp.methods import PROMPTS_LIST, RESOURCES_LIST, TEMPLATES_LIST
from core.snapshot import Offer, OfferKind
from proxy.offered.names import Member, Shown
from proxy.refusals import Refusal


@dataclass(frozen=True, slots=True)
class ListKind:
    """A list that clients ask for, and servers are asked for."""

    offers: OfferKind
    """The kind of the offers that it is of."""
    member: str
    """Of its results: the items."""
    named_by: Member


LISTS: Final[dict[str, ListKind]] = {
    PROMPTS_LIST: ListKind("prompts", "prompts", "name"),
    RESOURCES_LIST: ListKind("resources", "resources", "uri"),
    TEMPLATES_LIST: ListKind("resources", "resourceTemplates", "uriTemplate"),
}
"""By its method."""


@dataclass(frozen=True, slots=True)
class Missing:
    """A server whose items could not be had, and why."""

    offer: Offer
    refusal: Refusal


@dataclass(frozen=True, slots=True)
class Listing:
    """A list of a gateway as one caller sees it."""

    items: list[Shown]
    missing: list[Missing]
    notes: list[str]
    """What servers list beyond what is read."""
