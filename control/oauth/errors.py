"""What the authorization server says when it refuses: the words of the protocol, with a sentence for people.

Raised anywhere below an endpoint. Endpoints for programs answer in JSON (RFC 6749 section 5.2), the authorize one by
a redirect (section 4.1.2.1), or by a page where nothing proves that the redirect is the client's. A sentence
repeats nothing of what was sent.
"""

from types import MappingProxyType
from typing import Final, Literal

Code = Literal[
    "invalid_request", "invalid_client", "invalid_grant", "unauthorized_client", "unsupported_grant_type",
    "invalid_scope", "invalid_target", "access_denied", "unsupported_response_type", "request_not_supported",
    "request_uri_not_supported", "login_required", "consent_required", "invalid_redirect_uri",
    "invalid_client_metadata", "temporarily_unavailable", "slow_down",
]  # fmt: skip
STATUS: Final = MappingProxyType({"invalid_client": 401, "slow_down": 429, "temporarily_unavailable": 503})
"""Of answers in JSON; what is not here is 400."""


class OAuthRefused(Exception):
    """A request of a client that is refused, in the protocol's word and in a sentence."""

    allow_redirect = True
    """Whether the client may be told by sending the person back to it."""

    def __init__(self, code: Code, sentence: str, *, cure: str = "", wait_s: float = 0) -> None:
        super().__init__(sentence)
        self.code: Code = code
        self.sentence = sentence
        self.cure = cure
        """What helps, for whoever looks at the trace of the sign-in."""
        self.wait_s = wait_s
        """Seconds after which the same may work."""

    @property
    def status(self) -> int:
        """Of the answer, where it is JSON."""
        return STATUS.get(self.code, 400)

    def document(self) -> dict[str, str]:
        """The members of the answer."""
        return {"error": self.code, "error_description": self.sentence}


class NotSentBack(OAuthRefused):
    """A refusal that the person reads here: their client, or where it wants them sent, is not known to be what it
    says, and a redirect would help whoever made it up (RFC 9700 section 4.11).
    """

    allow_redirect = False


def invalid_grant(sentence: str, cure: str = "have the person sign in again") -> OAuthRefused:
    """A code, a refresh token or a grant that is good for nothing (any more)."""
    return OAuthRefused("invalid_grant", sentence, cure=cure)


def invalid_request(sentence: str, cure: str = "") -> OAuthRefused:
    """A request that lacks something, or says it twice or in a way that has no meaning."""
    return OAuthRefused("invalid_request", sentence, cure=cure)
