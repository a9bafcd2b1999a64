"""The client that asks: one that has registered, or that a document of its own describes."""

from control.oauth.authorize.request import AuthorizeRequest
from control.oauth.errors import NotSentBack
from control.oauth.named_client import named_for_person


async def check_client(asked: AuthorizeRequest) -> None:
    """Refuse a request of a client that there is not."""
    client_id = asked.sent.one("client_id")
    if not client_id or not client_id.isascii():
        raise NotSentBack("invalid_request", "The request does not name a client.", asked=client_id)
    asked.client = await named_for_person(asked.server, client_id)
