"""Our public keys as JWK Sets (RFC 7517): those of access tokens, for whoever checks them beside our own proxies, and
apart from them those of what servers are told of callers (`core/caller_statements.py`), for these servers.
"""

from collections.abc import Mapping, Sequence
from typing import Final

import orjson
from aiohttp import web

_CACHE: Final = {"Cache-Control": "public, max-age=300"}


class Jwks:
    """Answers with the keys; the previous one stays among them until what it signed has ended."""

    def __init__(self, public_keys: Sequence[Mapping[str, str]]) -> None:
        self._body = orjson.dumps({"keys": [{**key, "use": "sig"} for key in public_keys]})

    async def handle(self, _request: web.Request) -> web.Response:
        """The key set."""
        return web.Response(body=self._body, content_type="application/jwk-set+json", headers=_CACHE)
