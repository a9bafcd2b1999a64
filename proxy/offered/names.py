"""How callers know what several servers offer on one gateway, and whose a name or URI is.

A name or URI stays as its server has it. Only where two servers list the same does each get its offer's name before
it: `crm__greeting`, `crm+file:///notes`. So does a name that begins like another offer's: a server that lists
`crm__greeting` itself is not taken for `crm`. Pure; called by `proxy/lists.py` and `proxy/stages/choose_offered.py`.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from core.mcp.uri_template import makes
from core.snapshot import Offer

Member = Literal["name", "uri", "uriTemplate"]
"""By what an item of a list is known."""
MOST_COMPARED: Final = 200
"""Templates of one offer that a URI is compared with, at most."""
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


def shown(found: Iterable[Found], member: Member, offers: Collection[Offer] = ()) -> list[Shown]:
    """Every item once, in the order of the offers and of their servers; what has no name is nobody's.

    `offers`: all that the gateway has of this kind, whether anything was found of them or not.
    """
    named = [(one.offer, own, item) for one in found for own, item in _named(one.items, member).items()]
    times = Counter(own for _, own, _ in named)
    return [
        Shown(name, offer, own, {**item, member: name})
        for offer, own, item in named
        for name in [own if times[own] == 1 and not _imitates(offers, offer, own) else with_name(offer, own)]
    ]


def _imitates(offers: Iterable[Offer], offer: Offer, own: str) -> bool:
    """Whether a server's name or URI begins as what is another offer's."""
    begun = without_name((one for one in offers if one is not offer and one != offer), own)
    return begun is not None


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


def whose_template(templates: Sequence[Shown], uri: str, offers: Collection[Offer] = ()) -> tuple[Offer, str] | None:
    """Whose template makes this URI, which is the server's own; None where nobody's does, or those of several.

    A template that makes anything does not make what begins as another offer's. Of each offer the first
    `MOST_COMPARED` are looked at.
    """
    fitting: dict[str, Offer] = {}
    compared: Counter[str] = Counter()
    prefixed: list[Offer] = []
    for one in templates:
        offer, key = one.offer, one.offer.assignment_id
        compared[key] += 1
        if key in fitting or compared[key] > MOST_COMPARED or not makes(one.exposed, uri):
            continue
        if not _imitates(offers, offer, uri):
            fitting[key] = offer
            prefixed += [offer] if one.own != one.exposed else []
    if len(fitting) != 1:
        return None
    (offer,) = fitting.values()
    return without_name([offer] if offer in prefixed else [], uri) or (offer, uri)


def _scheme(offer: Offer) -> str:
    """The offer's name as the scheme of a URI may begin, which is with a letter (RFC 3986 section 3.1)."""
    return offer.name if offer.name[:1].isalpha() else f"n{offer.name}"
