"""What we do not do, and must not pass over: it would change what the request means (RFC 9101)."""

from control.oauth.authorize.request import AuthorizeRequest
from control.oauth.errors import OAuthRefused, invalid_request


async def check_unsupported(asked: AuthorizeRequest) -> None:
    """Refuse request objects, and answers in another place than the redirect's query."""
    if asked.sent.all("request"):
        raise OAuthRefused("request_not_supported", "Request objects are not supported; send plain parameters.")
    if asked.sent.all("request_uri"):
        raise OAuthRefused("request_uri_not_supported", "Request objects are not supported; send plain parameters.")
    if asked.sent.one("response_mode") not in ("", "query"):
        raise invalid_request("Only the response_mode query is supported.")
