"""The public keys of our access tokens as a JWK Set (RFC 7517), for whoever checks them beside our own proxies."""

from typing import Final

import orjson
from aiohttp import web

from control.oauth.server import AuthorizationServer

_CACHE: Final = {"Cache-Control": "public, max-age=300"}


class Jwks:
    """Answers with the keys; the previous one stays among them until what it signed has ended."""

    def __init__(self, server: AuthorizationServer) -> None:
        keys = [{**key, "use": "sig"} for key in server.access_tokens.public_keys]
        self._body = orjson.dumps({"keys": keys})

    async def handle(self, _request: web.Request) -> web.Response:
        """The key set."""
        return web.Response(body=self._body, content_type="application/jwk-set+json", headers=_CACHE)
