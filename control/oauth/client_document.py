"""The documents in which Archway describes itself as an OAuth client (CIMD), for providers of servers to read.

There is one for each entry, which names the callback of that entry alone; its address is the client's name there. Not
served where others could not read it: without a public https address.
"""

from typing import Final

import orjson
from aiohttp import web

from control.accounts.our_client import of_entry, our_client
from control.credentials.upstream_oauth.registration import client_document
from control.http.problems import not_found

_CACHE: Final = {"Cache-Control": "public, max-age=300"}


class ClientDocument:
    """Answers providers that read what Archway says of itself as their client."""

    def __init__(self, pages_url: str) -> None:
        self._ours = our_client(pages_url)

    async def handle(self, request: web.Request) -> web.Response:
        """The document of the entry that the address names; 404 where none is to be used."""
        if not self._ours.document_url:
            raise not_found("document")
        body = orjson.dumps(client_document(of_entry(self._ours, request.match_info["entry"])))
        return web.Response(body=body, content_type="application/json", headers=_CACHE)
