"""Where the person is sent back to: to the letter what the client registered, any port of this machine apart.

It must be named, even where the client has only one: what is implied cannot be compared.
"""

from control.oauth.authorize.request import AuthorizeRequest
from control.oauth.errors import NotSentBack
from control.registry.redirects import is_registered


async def check_redirect(asked: AuthorizeRequest) -> None:
    """Refuse a redirect that is not the client's."""
    uri = asked.sent.one("redirect_uri")
    if not uri:
        raise NotSentBack("invalid_request", "The request does not say where the person is to be sent back to.")
    registered = asked.named_client.fields.redirect_uris
    if not is_registered(uri, registered):
        raise NotSentBack(
            "invalid_request",
            "The client has not registered the address that it wants you sent back to, so nothing was done.",
            asked=f"redirect_uri {uri}; it registered {', '.join(registered)}",
            cure="Have the client register this very redirect_uri: most do once they forget what they know of this "
            "server. A client that you registered: `archway oauth-clients update NAME --add-redirect URI`.",
        )
    asked.redirect_uri = uri
