"""The challenge that ties the code to whoever asked for it (RFC 7636): always S256, clients with a secret too."""

import re
from typing import Final

from control.oauth.authorize.request import AuthorizeRequest
from control.oauth.errors import invalid_request

_S256: Final = re.compile(r"[A-Za-z0-9_-]{43}")
_CURE: Final = "The client must send code_challenge with code_challenge_method=S256; a newer version of it may."


async def check_pkce(asked: AuthorizeRequest) -> None:
    """Refuse a request without a challenge, or with one that whoever sees the request could answer."""
    challenge, method = asked.sent.one("code_challenge"), asked.sent.one("code_challenge_method")
    if not challenge:
        raise invalid_request("The code_challenge is missing.", _CURE)
    if method != "S256":  # to leave it out means `plain`
        raise invalid_request(
            "Only the code_challenge_method S256 is supported.", _CURE, asked=f"code_challenge_method {method}"
        )
    if not _S256.fullmatch(challenge):
        raise invalid_request("The code_challenge is not a SHA-256 in base64url.", _CURE)
    asked.challenge = challenge
