"""What the client wants shown: the consent page though it was answered before, or no page at all (OpenID Connect)."""

from control.oauth.authorize.request import AuthorizeRequest
from control.oauth.errors import OAuthRefused, invalid_request
from control.public.visitor import visitor_of


async def check_prompt(asked: AuthorizeRequest) -> None:
    """Refuse a request that wants no page shown where nobody is signed in. Other words mean the usual pages."""
    asked.prompts = frozenset(asked.sent.one("prompt").split())
    if "none" not in asked.prompts:
        return
    if len(asked.prompts) > 1:
        raise invalid_request("The prompt `none` goes with no other.")
    if visitor_of(asked.http) is None:
        raise OAuthRefused("login_required", "Nobody is signed in here.")
