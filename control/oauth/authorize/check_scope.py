"""The scopes that the client asks for; the least where it asks for none."""

from typing import Final

from control.oauth.authorize.request import AuthorizeRequest
from control.oauth.errors import OAuthRefused
from control.registry.oauth_scopes import ScopeUnknown, scopes_of

_CURE: Final = "The client must ask for scopes that the metadata names; most ask again if it forgets its settings."


async def check_scope(asked: AuthorizeRequest) -> None:
    """Refuse a scope that there is none of."""
    try:
        asked.scopes = scopes_of(asked.sent.one("scope"))
    except ScopeUnknown as unknown:
        raise OAuthRefused(
            "invalid_scope", str(unknown), asked=f"scope {asked.sent.one('scope')}", cure=_CURE
        ) from None
