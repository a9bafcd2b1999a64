"""How callers know what several servers offer on one gateway, and whose a name or URI is.

A name or URI stays as its server has it. Only where two servers list the same does each get its offer's name before
it: `crm__greeting`, `crm+file:///notes`. Pure; called by `proxy/lists.py` and `proxy/stages/choose_offered.py`.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from core.mcp.uri_template import makes
from core.snapshot import Offer

Member = Literal["name", "uri", "uriTemplate"]
"""By what an item of a list is known."""
_APP: Final = "ui://"
"""URIs of MCP Apps, which clients know by their scheme."""


@dataclass(frozen=True, slots=True)
class Found:
    """What one server has in a list for one caller."""

    offer: Offer
    items: tuple[dict[str, object], ...]


@dataclass(frozen=True, slots=True)
class Shown:
    """One item of a list as a caller sees it."""

    exposed: str
    """The name, URI or template by which the caller knows it."""
    offer: Offer
    own: str
    """The server's."""
    item: dict[str, object]
    """As its server lists it, under the exposed name."""


def shown(found: Iterable[Found], member: Member) -> list[Shown]:
    """Every item once, in the order of the offers and of their servers; what has no name is nobody's."""
    named = [(one.offer, own, item) for one in found for own, item in _named(one.items, member).items()]
    times = Counter(own for _, own, _ in named)
    return [
        Shown(name, offer, own, {**item, member: name})
        for offer, own, item in named
        for name in [own if times[own] == 1 else with_name(offer, own)]
    ]


def _named(items: Iterable[dict[str, object]], member: Member) -> dict[str, dict[str, object]]:
    """By the server's own name of it; the first of those that it lists twice."""
    named: dict[str, dict[str, object]] = {}
    for item in items:
        own = item.get(member)
        if isinstance(own, str) and own:
            named.setdefault(own, item)
    return named


def with_name(offer: Offer, own: str) -> str:
    """A server's name or URI with its offer's name before it."""
    if offer.kind == "prompts":
        return f"{offer.name}__{own}"
    if own.startswith(_APP):
        return f"{_APP}{_scheme(offer)}+{own.removeprefix(_APP)}"
    return f"{_scheme(offer)}+{own}"


def without_name(offers: Iterable[Offer], exposed: str) -> tuple[Offer, str] | None:
    """Whose name stands before a name or URI, and the server's own; None where nobody's does."""
    for offer in offers:
        begins = f"{offer.name}__" if offer.kind == "prompts" else f"{_scheme(offer)}+"
        if offer.kind == "resources" and exposed.startswith(_APP + begins):
            return offer, _APP + exposed.removeprefix(_APP + begins)
        if exposed.startswith(begins) and len(exposed) > len(begins):
            return offer, exposed.removeprefix(begins)
    return None


def whose(listed: Iterable[Shown], exposed: str) -> tuple[Offer, str] | None:
    """Whose something is that is listed under this very name."""
    return next(((one.offer, one.own) for one in listed if one.exposed == exposed), None)


def whose_template(templates: Sequence[Shown], uri: str) -> tuple[Offer, str] | None:
    """Whose template makes this URI, which is the server's own; None where nobody's does, or those of several."""
    fitting = {one.offer.assignment_id: one.offer for one in templates if makes(one.exposed, uri)}
    return (next(iter(fitting.values())), uri) if len(fitting) == 1 else None


def _scheme(offer: Offer) -> str:
    """The offer's name as the scheme of a URI may begin, which is with a letter (RFC 3986 section 3.1)."""
    return offer.name if offer.name[:1].isalpha() else f"n{offer.name}"
