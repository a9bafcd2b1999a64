"""What a legacy client said that it can, bit by bit in its session, and as servers are told of it."""

from typing import Final

from core.mcp.questions import QUESTIONS
from core.mcp.versions import LATEST_LEGACY
from proxy.sessions.sealed import Session

URL_ELICITATION: Final = 1 << len(QUESTIONS)
"""A bit more: it can show a link to its person. `elicitation` alone says only that it can show a form."""


def bits_of(declared: object) -> int:
    """The bits of what `initialize` declares."""
    if not isinstance(declared, dict):
        return 0
    elicitation = declared.get("elicitation")
    shows_links = isinstance(elicitation, dict) and isinstance(elicitation.get("url"), dict)
    known = sum(1 << place for place, name in enumerate(QUESTIONS) if name in declared)
    return known | (URL_ELICITATION if shows_links else 0)


def capabilities_of(session: Session) -> dict[str, object]:
    """What it can, as `clientCapabilities`. Links are of the newest legacy revision alone."""
    told: dict[str, object] = {
        name: {} for place, name in enumerate(QUESTIONS) if session.capabilities & (1 << place)
    }
    if "elicitation" in told and session.capabilities & URL_ELICITATION and session.version == LATEST_LEGACY:
        told["elicitation"] = {"form": {}, "url": {}}
    return told
