"""The answer to an authorize request: the person is sent back to the client with a code, or with the reason why not.

Each answer says who gives it (`iss`, RFC 9207), so that a client which talks to several servers cannot be made to
take one's code to another. Called by the authorize endpoint and by the consent page.
"""

from urllib.parse import urlencode

from aiohttp import web

from control.oauth.errors import OAuthRefused


def with_code(redirect_uri: str, state: str, issuer: str, code: str, *, status: int = 302) -> web.Response:
    """Back with the code."""
    return _back(redirect_uri, {"code": code, "state": state, "iss": issuer}, status)


def with_refusal(
    redirect_uri: str, state: str, issuer: str, refused: OAuthRefused, *, status: int = 302
) -> web.Response:
    """Back with the protocol's word for what was refused."""
    return _back(redirect_uri, {**refused.document(), "state": state, "iss": issuer}, status)


def _back(redirect_uri: str, told: dict[str, str], status: int) -> web.Response:
    query = urlencode({name: value for name, value in told.items() if value})
    separator = "&" if "?" in redirect_uri else "?"
    # 303 after a form: the browser must not send its fields on to the client (RFC 9700 section 4.12).
    return web.Response(status=status, headers={"Location": f"{redirect_uri}{separator}{query}"})
