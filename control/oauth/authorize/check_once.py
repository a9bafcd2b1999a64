"""Parameters that come once: first those that say whom a refusal may be told, later all others (RFC 6749 3.1)."""

from control.oauth.authorize.request import AuthorizeRequest
from control.oauth.errors import NotSentBack, OAuthRefused

_FIRST = ("client_id", "redirect_uri", "state")


async def check_client_once(asked: AuthorizeRequest) -> None:
    """Refuse a request that names its client, its redirect or its state twice."""
    try:
        asked.sent.check(_FIRST)
    except OAuthRefused as refused:
        raise NotSentBack(refused.code, refused.sentence, cure=refused.cure) from None
    asked.state = asked.sent.one("state")


async def check_once(asked: AuthorizeRequest) -> None:
    """Refuse a request that says something else twice."""
    asked.sent.check()
