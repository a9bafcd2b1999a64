"""Messages to an upstream that nobody waits for: a call's cancellation, answers to questions, a session's end.

Sent for calls (`sent_call.py`, `conversation.py`, `servers_questions.py`), and for streams that are open beside them
(`listened.py`, `heard_stream.py`). Each is a request of its own, in a task of its own,
with a short deadline; one that does not arrive is noted in the log and harms nothing.
"""

import logging

import orjson

from core.egress.addresses import PublicUrl
from core.egress.faults import UpstreamFault
from core.resolve import ResolvedInstallation
from core.tasks import Tasks
from proxy.upstream.addresses import address_of
from proxy.upstream.answers import Json
from proxy.upstream.handshake import UpstreamSession
from proxy.upstream.outbound import Outbound
from proxy.upstream.transport import Transport

log = logging.getLogger(__name__)
COURTESY_S = 5.0
"""How long a message beside a call may take."""


class Courtesy:
    """Sends upstreams messages beside a call, for which nobody waits."""

    def __init__(self, transport: Transport, tasks: Tasks) -> None:
        self._transport, self._tasks = transport, tasks

    def tell_cancelled(
        self, installation: ResolvedInstallation, outbound: Outbound, headers: dict[str, str], why: str
    ) -> None:
        """Tell a legacy upstream that nobody wants its answer: it goes on until it is told.

        A modern one is told by the end of the stream.
        """
        params: Json = {"requestId": outbound.id, "reason": why}
        notification: Json = {"jsonrpc": "2.0", "method": "notifications/cancelled", "params": params}
        self.post(installation, headers, notification, "cancel at an upstream")

    def post(self, installation: ResolvedInstallation, headers: dict[str, str], message: Json, name: str) -> None:
        """Send a message, in a task with this name; what it is answered is not read."""
        _ = self._tasks.spawn(
            name, self._send("POST", address_of(installation), orjson.dumps(message), dict(headers))
        )

    def end_session(self, installation: ResolvedInstallation, session: UpstreamSession) -> None:
        """Tell a legacy upstream that a session is used no more (MCP 2025-11-25, "Session Management"): some keep it
        for ever otherwise. One without an identifier has nothing to end.
        """
        if session.id is None:
            return
        url, headers = address_of(installation), headers_of_end(installation, session)
        _ = self._tasks.spawn("end a session at an upstream", self._send("DELETE", url, None, headers))

    async def _send(self, method: str, url: PublicUrl, body: bytes | None, headers: dict[str, str]) -> None:
        try:
            async with self._transport.request(method, url, headers, body, deadline=COURTESY_S) as response:
                response.never_reuse()
        except UpstreamFault as fault:
            log.info("a message beside a call was not delivered", extra={"why": fault.detail})


def headers_of_end(installation: ResolvedInstallation, session: UpstreamSession) -> dict[str, str]:
    """The headers of the DELETE that ends a session."""
    _, headers = Outbound("", {}, installation.own_headers).legacy(session.version, session.id)
    del headers["content-type"]
    return headers
