"""What the client wants back: a code. Tokens in a URL are of the past (RFC 9700 section 2.1.2)."""

from control.oauth.authorize.request import AuthorizeRequest
from control.oauth.errors import OAuthRefused


async def check_response_type(asked: AuthorizeRequest) -> None:
    """Refuse every other kind of answer."""
    if asked.sent.required("response_type") != "code":
        raise OAuthRefused("unsupported_response_type", "Only the response_type code is supported.")
