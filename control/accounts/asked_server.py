"""What a server says to somebody without a credential: the challenge of its 401, which leads to its provider.

Called before a provider is looked for. A server that answers otherwise, or not at all, says nothing; its provider is
then looked for at the well-known addresses.
"""

from typing import Final

from control.credentials.upstream_oauth.challenge import Challenge, bearer_challenge
from control.providers.asking import Asker, ProviderAway

_INITIALIZE: Final = (
    b'{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},'
    b'"clientInfo":{"name":"Archway","version":"1"}}}'
)
_HEADERS: Final = {"Content-Type": "application/json", "Accept": "application/json, text/event-stream"}


async def challenge_of(asker: Asker, server_url: str) -> Challenge | None:
    """The challenge; None where it has none, or cannot be asked now."""
    try:
        answer = await asker.ask("POST", server_url, _HEADERS, _INITIALIZE)
    except ProviderAway:
        return None
    return bearer_challenge(answer.challenges) if answer.status == 401 and answer.challenges else None
