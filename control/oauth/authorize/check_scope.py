"""The scopes that the client asks for; the least where it asks for none."""

from control.oauth.authorize.request import AuthorizeRequest
from control.oauth.errors import OAuthRefused
from control.registry.oauth_scopes import ScopeUnknown, scopes_of


async def check_scope(asked: AuthorizeRequest) -> None:
    """Refuse a scope that there is none of."""
    try:
        asked.scopes = scopes_of(asked.sent.one("scope"))
    except ScopeUnknown as unknown:
        raise OAuthRefused(
            "invalid_scope", str(unknown), cure="the client must ask for scopes of the metadata"
        ) from None
