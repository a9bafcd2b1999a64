"""What a server says outside of calls: that a resource has changed, or one of its lists.

Called for callers who wait for such news. A legacy server gets a session of its own for it, in which the GET stream
is read and `resources/subscribe` is sent (MCP 2025-11-25, "Listening for Messages from the Server" and
"Subscriptions"); a modern one gets `subscriptions/listen` (MCP 2026-07-28). What ends by itself is begun again, after
a pause that grows; who listens is told whenever it stands again, as news may have been missed.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

import orjson

from core.egress.faults import UpstreamFault
from core.mcp.methods import LISTEN, SUBSCRIBE, UNSUBSCRIBE
from core.mcp.versions import Era
from core.resolve import ResolvedInstallation
from core.spreading import between
from core.tasks import Tasks
from proxy.caches.two_ages import SourceUnreachable
from proxy.refusals import Refusal
from proxy.upstream.addresses import address_of
from proxy.upstream.answers import Json, is_answer_to, is_success, messages
from proxy.upstream.courtesy import Courtesy
from proxy.upstream.eras import Eras
from proxy.upstream.faults import upstream_text
from proxy.upstream.handshake import Opened, UpstreamSession, initialize
from proxy.upstream.heard_stream import HeardStream, cannot_listen
from proxy.upstream.outbound import Outbound
from proxy.upstream.transport import Transport
from proxy.upstream.unsuccessful import read_unsuccessful

log = logging.getLogger(__name__)
FIRST_PAUSE_S: Final = 1.0
LONGEST_PAUSE_S: Final = 60.0
LISTENED_S: Final = 1500.0
"""After so long it is begun again: a connection that died in silence would else be listened to for ever."""
SUBSCRIBE_S: Final = 10.0
"""For a server's word that it will tell of a resource."""
HEAD_S: Final = 2.0
"""How long the GET stream is waited for: some servers send its head only with the first event."""
_LISTS: Final = {"toolsListChanged": True, "promptsListChanged": True, "resourcesListChanged": True}
_MAY_PASS: Final = frozenset(
    {"server_restarting", "upstream_refused", "upstream_slow", "upstream_broken", "upstream_too_large"}
)


@dataclass(slots=True, eq=False)
class Wanted:
    """What is listened for at one server; `become` changes it while it is listened."""

    uris: frozenset[str] = frozenset()
    """Resources whose changes are told, by the server's own URIs."""
    lists: bool = False
    """Whether changes of its lists are told: a legacy server tells them in any case."""
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    def become(self, uris: frozenset[str]) -> None:
        """Listen for these resources from now on."""
        if uris != self.uris:
            self.uris = uris
            self.changed.set()

    def ask_again(self) -> None:
        """Ask the server once more about those that it refused."""
        self.changed.set()


class Ears(Protocol):
    """Who listens. None of these may wait."""

    def hear(self, method: str, params: Json) -> None:
        """A notification of the server."""

    def stands(self, uris: frozenset[str]) -> None:
        """From now on changes of these resources are heard; those of before may have been missed."""

    def refused(self, uri: str, why: Refusal) -> None:
        """The server does not tell of this one."""

    def away(self) -> None:
        """Nothing is heard until it stands again."""


Resolve = Callable[[], Awaitable[ResolvedInstallation]]
"""How the server is reached now, with a credential that holds. Raises Refusal or SourceUnreachable."""


class Listening:
    """Listens to servers. `transport` is for this alone: its connections stay in use all the while."""

    def __init__(self, transport: Transport, eras: Eras, tasks: Tasks) -> None:
        self._transport, self._eras, self._tasks = transport, eras, tasks
        self._courtesy = Courtesy(transport, tasks)

    async def follow(self, resolve: Resolve, wanted: Wanted, ears: Ears) -> None:
        """Listen until cancelled. Raises Refusal where that cannot be: the server does not say what changes, or takes
        the credential no more.
        """
        pause = FIRST_PAUSE_S
        while True:
            began = time.monotonic()
            try:
                async with asyncio.timeout(LISTENED_S * between(0.8, 1.0)):
                    await self._listen(await resolve(), wanted, ears)
            except TimeoutError:
                log.debug("a server is listened to on a new connection")
            except (UpstreamFault, SourceUnreachable) as fault:
                log.info("a server is not heard for now", extra={"why": repr(fault)})
            except Refusal as refusal:
                if not _may_pass(refusal):
                    raise
                log.info("a server is not heard for now", extra={"why": refusal.reason, "detail": refusal.detail})
            finally:
                ears.away()
            stood = time.monotonic() - began > LONGEST_PAUSE_S
            pause = FIRST_PAUSE_S if stood else min(2 * pause, LONGEST_PAUSE_S)
            await asyncio.sleep(pause * between(0.5, 1.0))

    async def _listen(self, installation: ResolvedInstallation, wanted: Wanted, ears: Ears) -> None:
        opened: list[Opened] = []

        async def open_legacy(within: float) -> None:
            opened.append(await initialize(self._transport, installation, within))

        era = self._eras.known(installation)
        if era is None:
            era = (await self._eras.find(installation, open_legacy)).era
        if era is Era.MODERN:
            await self._modern(installation, wanted, ears)
            return
        session = opened[-1] if opened else await initialize(self._transport, installation)
        try:
            await self._legacy(installation, session, wanted, ears)
        finally:
            self._courtesy.end_session(installation, session.session)

    async def _legacy(self, installation: ResolvedInstallation, opened: Opened, wanted: Wanted, ears: Ears) -> None:
        session, resources = opened.session, opened.capabilities.get("resources")
        tells = isinstance(resources, dict) and resources.get("subscribe") is True
        stream = HeardStream(self._transport, self._courtesy, installation, ears.hear)
        _, headers = Outbound("", {}, installation.own_headers).legacy(session.version, session.id)
        told: frozenset[str] = frozenset()
        """Of which the server has said that it will tell."""

        def stands_again() -> None:
            ears.away()
            ears.stands(told)

        reading = self._tasks.spawn("listen to a server", stream.keep_getting(headers, stands_again))
        try:
            await self._either(reading, stream.begun.wait(), HEAD_S)
            while True:
                wanted.changed.clear()
                uris = wanted.uris
                for uri in told - uris:
                    self._unsubscribe(installation, session, uri)
                told &= uris
                for uri in sorted(uris - told):
                    why = await self._why_not(installation, session, uri) if tells else cannot_listen(installation)
                    if why is None:
                        told |= {uri}
                    else:
                        ears.refused(uri, why)
                ears.stands(told)
                await self._either(reading, wanted.changed.wait())
        finally:
            reading.cancel()

    def _unsubscribe(self, installation: ResolvedInstallation, session: UpstreamSession, uri: str) -> None:
        outbound = Outbound(UNSUBSCRIBE, {"uri": uri}, installation.own_headers)
        message, headers = outbound.legacy(session.version, session.id)
        self._courtesy.post(installation, headers, message, "unsubscribe at an upstream")

    async def _why_not(
        self, installation: ResolvedInstallation, session: UpstreamSession, uri: str
    ) -> Refusal | None:
        """Ask a legacy server to tell of a resource; its refusal, or None where it will. Raises UpstreamFault."""
        outbound = Outbound(SUBSCRIBE, {"uri": uri}, installation.own_headers)
        message, headers = outbound.legacy(session.version, session.id)
        url, body = address_of(installation), orjson.dumps(message)
        async with self._transport.request("POST", url, headers, body, deadline=SUBSCRIBE_S) as response:
            if not is_success(response.status):
                answer = await read_unsuccessful(response)
                if answer.error is None:
                    raise answer.refusal(installation, SUBSCRIBE)
                return _no(installation, answer.error)
            async for answered in messages(response, cap_bytes=1 << 16):
                if is_answer_to(answered, outbound.id):
                    error = answered.get("error")
                    return _no(installation, error) if isinstance(error, dict) else None
        return cannot_listen(installation)

    async def _modern(self, installation: ResolvedInstallation, wanted: Wanted, ears: Ears) -> None:
        """One stream after the other: each that tells of what is wanted now stands before the last one is left."""
        last: asyncio.Task[None] | None = None
        try:
            while True:
                wanted.changed.clear()
                uris = wanted.uris
                asked: Json = dict(_LISTS) if wanted.lists else {}
                if uris:
                    asked["resourceSubscriptions"] = sorted(uris)
                outbound = Outbound(LISTEN, {"notifications": asked}, installation.own_headers)
                message, headers = outbound.modern()
                stream = HeardStream(self._transport, self._courtesy, installation, ears.hear)
                work = stream.listen(headers, orjson.dumps(message), outbound.id)
                reading, before = self._tasks.spawn("listen to a server", work), last
                last = reading
                try:
                    await self._either(reading, stream.begun.wait(), SUBSCRIBE_S)
                finally:
                    if before is not None:
                        before.cancel()
                if not stream.begun.is_set():
                    raise UpstreamFault("slow", sent=True, detail=f"{LISTEN} was not acknowledged")
                told = uris & stream.acknowledged
                for uri in sorted(uris - told):
                    ears.refused(uri, cannot_listen(installation))
                ears.stands(told)
                await self._either(reading, wanted.changed.wait())
        finally:
            if last is not None:
                last.cancel()

    async def _either(
        self, reading: "asyncio.Task[None]", wait: Coroutine[Any, Any, object], within: float | None = None
    ) -> None:
        """Wait for something while a stream is read, at most so long. Raises what ended the stream, if it ended."""
        other = self._tasks.spawn("wait for what is listened to", wait)
        try:
            await asyncio.wait({reading, other}, timeout=within, return_when=asyncio.FIRST_COMPLETED)
        finally:
            other.cancel()
        if reading.done():
            await reading
            raise UpstreamFault("broken", sent=True, detail="the server ended the stream")


def _no(installation: ResolvedInstallation, error: Json) -> Refusal:
    """A server's error, where it will not tell of a resource."""
    text = upstream_text(error.get("message"))
    return Refusal("upstream_error", server=installation.entry, text=text, detail=f"{SUBSCRIBE}: {error.get('code')}")


def _may_pass(refusal: Refusal) -> bool:
    """Whether it may be otherwise in a while."""
    status = refusal.words.get("status")
    passing = refusal.reason == "upstream_status" and isinstance(status, int) and (status >= 500 or status == 429)
    return passing or refusal.reason in _MAY_PASS
