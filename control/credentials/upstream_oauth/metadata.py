"""One metadata document of a server or an authorization server: the JSON object at an address, or that there is none.

Called for each address that such a document may stand at. What is not found is told apart from what cannot be asked
now: only the first lets the next address be asked. Leaves out what the document says.
"""

from typing import Any, Final
from urllib.parse import urljoin

from control.providers.asking import Asker, unusable
from control.registry.origin import origin_of

MOST_REDIRECTS: Final = 2
_REPEATED: Final = frozenset({307, 308})
"""Redirects that ask for the same again; others are not followed, and none leads to another origin."""
_BUSY: Final = frozenset({408, 425, 429})
_HEADERS: Final = {"MCP-Protocol-Version": "2026-07-28"}


async def metadata_at(asker: Asker, url: str) -> dict[str, Any] | None:
    """The document at this address; None where there is none (an answer of 3xx or 4xx, or no JSON object). Raises
    ProviderAway where nobody answers, for 5xx and for 429: whether there is one cannot be known now.
    """
    asked = url
    for _ in range(MOST_REDIRECTS + 1):
        answer = await asker.ask("GET", asked, _HEADERS)
        if answer.status >= 500 or answer.status in _BUSY:
            raise unusable(asked, answer)
        if answer.status == 200:
            return answer.json()
        to = _same_origin(asked, answer.location) if answer.status in _REPEATED else ""
        if not to:
            return None
        asked = to
    return None


def _same_origin(url: str, location: str) -> str:
    """Where the redirect leads if that is at the same origin, else ''."""
    try:
        to = urljoin(url, location)
        return to if location and origin_of(to) == origin_of(url) else ""
    except ValueError:
        return ""
