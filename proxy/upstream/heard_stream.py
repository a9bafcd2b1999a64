"""One open stream of a server on which it says things by itself: a legacy GET stream, or a modern listening one.

`listened.py` and `asides.py` open it, and say to whom goes what comes. What the server asks, and nobody takes, is
answered here: a ping as the protocol wants it, anything else with an error.
"""

import asyncio
import time
from collections.abc import Callable
from typing import Final

from core.egress.addresses import PublicUrl
from core.egress.faults import UpstreamFault
from core.mcp.exact_numbers import Exact
from core.mcp.faults import METHOD_NOT_FOUND
from core.mcp.methods import ACKNOWLEDGED, LISTEN
from core.resolve import ResolvedInstallation
from proxy.refusals import Refusal
from proxy.upstream.addresses import address_of
from proxy.upstream.answers import Json, is_answer_to, is_stream, is_success, messages
from proxy.upstream.courtesy import Courtesy
from proxy.upstream.transport import Transport, UpstreamAnswer
from proxy.upstream.unsuccessful import read_unsuccessful

MOST_HEARD: Final = 1 << 20
"""Bytes of one message that a server says by itself: such messages only say that something has changed."""
MOST_ASKED: Final = 100
"""Questions of a server on one stream that are answered; one that asks more is left."""
AGAIN_S: Final = 1.0
"""After so long the stream of a legacy server that closed it is opened again: the protocol allows it to."""
LONGEST_AGAIN_S: Final = 60.0
"""It is twice as long each time, up to this, while the server closes it sooner than that."""
_NO_STREAM: Final = frozenset({404, 405, 501})
"""Statuses of servers that have no GET stream. They say 404 of a lost session as well, but ours is new."""


def cannot_listen(installation: ResolvedInstallation) -> Refusal:
    """The refusal where a server does not say what changes."""
    return Refusal("no_news", server=installation.entry)


class HeardStream:
    """Reads a stream, and answers what its server asks. `hear` gets each notification: method and params."""

    def __init__(
        self,
        transport: Transport,
        courtesy: Courtesy,
        installation: ResolvedInstallation,
        hear: Callable[[str, Json], None],
    ) -> None:
        self._transport, self._courtesy, self._installation, self._hear = transport, courtesy, installation, hear
        self._headers: dict[str, str] = {}
        self._questions = 0
        self.take_question: Callable[[Json, str], None] = self.refuse
        """Takes what the server asks but for pings: the message, and its method."""
        self.begun = asyncio.Event()
        """Set when a legacy server has opened it, or a modern one has said what it will tell."""
        self.acknowledged: frozenset[str] = frozenset()
        """The resources of which a modern server tells."""

    async def keep_getting(self, headers: dict[str, str], again: Callable[[], None]) -> None:
        """Read the GET stream of a legacy session, again and again; `again` is called whenever it was closed, and is
        open once more. Raises Refusal or UpstreamFault.
        """
        self._headers = headers
        headers = {name: value for name, value in headers.items() if name != "content-type"}
        pause = AGAIN_S
        while True:
            opened = time.monotonic()
            async with self._transport.request(
                "GET", self._url, headers | {"accept": "text/event-stream"}
            ) as response:
                if response.status in _NO_STREAM and not self.begun.is_set():
                    raise cannot_listen(self._installation)
                await self._check(response, "GET")
                if self.begun.is_set():
                    again()
                self.begun.set()
                async for message in messages(response, cap_bytes=MOST_HEARD):
                    self._take(message)
            stood = time.monotonic() - opened > LONGEST_AGAIN_S
            pause = AGAIN_S if stood else pause
            await asyncio.sleep(pause)
            pause = min(2 * pause, LONGEST_AGAIN_S)

    async def listen(self, headers: dict[str, str], body: bytes, request_id: int) -> None:
        """Read the stream that answers `subscriptions/listen`, to its end. Raises Refusal or UpstreamFault."""
        async with self._transport.request("POST", self._url, headers, body) as response:
            await self._check(response, LISTEN)
            async for message in messages(response, cap_bytes=MOST_HEARD):
                if is_answer_to(message, request_id):
                    self._ended(message)
                    return
                self._take(message)

    @property
    def _url(self) -> PublicUrl:
        return address_of(self._installation)

    async def _check(self, response: UpstreamAnswer, during: str) -> None:
        if not is_success(response.status):
            answer = await read_unsuccessful(response)
            if self.begun.is_set() and answer.status not in {401, 403}:  # the session is lost, or soon will be
                raise UpstreamFault("broken", sent=True, detail=f"the stream is not opened again: {answer.status}")
            if answer.error is not None and answer.error.get("code") == METHOD_NOT_FOUND:
                raise cannot_listen(self._installation)
            raise answer.refusal(self._installation, during)
        if during == "GET" and not is_stream(response):
            raise cannot_listen(self._installation)

    def _ended(self, message: Json) -> None:
        """The server ended it: by its result, when it likes; by an error, where it does not listen."""
        error = message.get("error")
        if isinstance(error, dict) and not self.begun.is_set():
            if error.get("code") == METHOD_NOT_FOUND:
                raise cannot_listen(self._installation)
            raise Refusal("upstream_error", server=self._installation.entry, detail=f"listen: {error.get('code')}")

    def _take(self, message: Json) -> None:
        method, params = message.get("method"), message.get("params")
        given: Json = params if isinstance(params, dict) else {}
        if not isinstance(method, str):
            return
        if "id" in message:
            self._answer(message, method)
        elif method == ACKNOWLEDGED:
            told = given.get("notifications")
            uris = told.get("resourceSubscriptions") if isinstance(told, dict) else None
            self.acknowledged = (
                frozenset(uri for uri in uris if isinstance(uri, str)) if isinstance(uris, list) else frozenset()
            )
            self.begun.set()
        else:
            self._hear(method, given)

    def _answer(self, message: Json, method: str) -> None:
        request_id = message.get("id")
        self._questions += 1
        if self._questions > MOST_ASKED or not isinstance(request_id, str | int | Exact):
            raise UpstreamFault(
                "broken", sent=True, detail=f"the upstream asked {method[:64]} while it was listened to"
            )
        if method == "ping":
            self._reply(message, {"result": {}})
        else:
            self.take_question(message, method)

    def refuse(self, message: Json, _: str) -> None:
        """Answer a question with an error."""
        error = {"code": METHOD_NOT_FOUND, "message": "Nobody is there to answer this outside of a call."}
        self._reply(message, {"error": error})

    def _reply(self, message: Json, answered: Json) -> None:
        told = {"jsonrpc": "2.0", "id": message.get("id"), **answered}
        self._courtesy.post(self._installation, self._headers, told, "answer an upstream")
