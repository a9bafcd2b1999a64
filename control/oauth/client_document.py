"""The document in which Archway describes itself as an OAuth client (CIMD), for providers of servers to read.

Its address is the client's name there. Not served where others could not read it: without a public https address.
"""

from typing import Final

import orjson
from aiohttp import web

from control.accounts.our_client import our_client
from control.credentials.upstream_oauth.registration import client_document
from control.http.problems import not_found

_CACHE: Final = {"Cache-Control": "public, max-age=300"}


class ClientDocument:
    """Answers providers that read what Archway says of itself as their client."""

    def __init__(self, pages_url: str) -> None:
        ours = our_client(pages_url)
        self._body = orjson.dumps(client_document(ours)) if ours.document_url else b""

    async def handle(self, _request: web.Request) -> web.Response:
        """The document; 404 where it is not to be used."""
        if not self._body:
            raise not_found("document")
        return web.Response(body=self._body, content_type="application/json", headers=_CACHE)
