"""What the authorization server says when it refuses: the words of the protocol, with a sentence for people.

Raised anywhere below an endpoint. Endpoints for programs answer in JSON (RFC 6749 section 5.2), the authorize one by
a redirect (section 4.1.2.1), or by a page where nothing proves that the redirect is the client's. A sentence
repeats nothing of what was sent.
"""

from types import MappingProxyType
from typing import Final, Literal

from control.registry.oauth_grant import Grant

Code = Literal[
    "invalid_request", "invalid_client", "invalid_grant", "unauthorized_client", "unsupported_grant_type",
    "invalid_scope", "invalid_target", "access_denied", "unsupported_response_type", "request_not_supported",
    "request_uri_not_supported", "login_required", "consent_required", "invalid_redirect_uri",
    "invalid_client_metadata", "temporarily_unavailable", "slow_down",
]  # fmt: skip
STATUS: Final = MappingProxyType({"invalid_client": 401, "slow_down": 429, "temporarily_unavailable": 503})
"""Of answers in JSON; what is not here is 400."""
_MENDED: Final = "The client asks in a way that it should not: tell its makers what is said here."
_CURES: Final[MappingProxyType[Code, str]] = MappingProxyType(
    {
        "slow_down": "Wait; if it goes on, look at what the client does again and again.",
        "temporarily_unavailable": "Try again in a moment.",
        "access_denied": "Nothing is wrong if the person did not want it; else begin again in the client.",
        "login_required": "Sign in to these pages in the same browser, or have the client show a page.",
        "consent_required": "Have the client show a page, on which the person agrees.",
    }
)
"""What helps where whoever refuses says nothing better."""


class OAuthRefused(Exception):
    """A request of a client that is refused, in the protocol's word and in a sentence."""

    allow_redirect = True
    """Whether the client may be told by sending the person back to it."""

    def __init__(
        self, code: Code, sentence: str, *, reason: str = "", asked: str = "", cure: str = "", wait_s: float = 0
    ) -> None:
        super().__init__(sentence)
        self.code: Code = code
        self.sentence = sentence
        self.reason = reason or sentence
        """Why, for whoever looks at the trace of the sign-in: more may stand there than a client is told."""
        self.asked = asked
        """What the client asked for, in its own words; for the trace alone."""
        self.cure = cure or _CURES.get(code, _MENDED)
        """What helps; for the trace alone."""
        self.grant: Grant | None = None
        """What was brought belongs to this, where that is known; for the trace alone."""
        self.gateway = ""
        """The gateway that was meant, where that is known only of what was brought; for the trace alone."""
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


def invalid_grant(sentence: str, cure: str = "Have the person sign in again with the client.") -> OAuthRefused:
    """A code, a refresh token or a grant that is good for nothing (any more)."""
    return OAuthRefused("invalid_grant", sentence, cure=cure)


def invalid_request(sentence: str, cure: str = "", *, asked: str = "") -> OAuthRefused:
    """A request that lacks something, or says it twice or in a way that has no meaning."""
    return OAuthRefused("invalid_request", sentence, cure=cure, asked=asked)
