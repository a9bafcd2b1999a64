"""Offers: all resources or all prompts of a server, which an admin assigns to a gateway as they assign a tool.

Called by `tool_definitions.py` for a server that says that it has them. What there is of them is asked at call time
with the caller's own credential, so an entry keeps of them only that they are there.
"""

from collections.abc import Container
from typing import Any, Final

from core.snapshot import OfferKind

_NAMES: Final[dict[OfferKind, str]] = {"resources": "all_resources", "prompts": "all_prompts"}
_TEXTS: Final[dict[OfferKind, tuple[str, str]]] = {
    "resources": (
        "Resources",
        "Everything that this server lets clients read, as each caller's own account sees it.",
    ),
    "prompts": ("Prompts", "The prompts of this server, as each caller's own account sees them."),
}


def offer_definition(kind: OfferKind, taken: Container[str]) -> dict[str, Any]:
    """What an entry keeps of an offer, under a name that none of its tools has (`taken`)."""
    title, description = _TEXTS[kind]
    name = _NAMES[kind]
    if name in taken:
        name = next(other for number in range(2, 10_000) if (other := f"{name}_{number}") not in taken)
    return {"name": name, "title": title, "description": description, "inputSchema": {"type": "object"}}
