"""Which era an upstream speaks, found out once and remembered.

A modern request is tried first (`server/discover`), as MCP 2026-07-28 asks of clients of both eras. Only a server's
own words make it modern; only a session that it opened makes it legacy. What may be a passing fault (429, 404, 5xx, a
cut answer, a page of a proxy between, silence) is evidence of nothing: then `initialize` is tried, and where that
fails too, nothing is remembered. What is remembered is asked again off the path of calls, soon where it rests on a
refusal, and at once where a call failed on it (`forget`). `discovery` through any worker makes all ask again.

Called by `conversation` and `probe`; `sent_call` reads what is known.
"""

import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import orjson

from core.egress.faults import UpstreamFault
from core.mcp.faults import METHOD_NOT_FOUND, UNSUPPORTED_VERSION
from core.mcp.versions import MODERN, Era
from core.resolve import ResolvedInstallation
from core.single_flight import SingleFlight
from core.tasks import Tasks
from proxy.caches.standing import Standing
from proxy.refusals import Refusal
from proxy.upstream.addresses import address_of
from proxy.upstream.answers import Json, answer_in, inflated, is_answer_to, is_stream, is_success, messages
from proxy.upstream.faults import no_common_version
from proxy.upstream.handshake import OPEN_S
from proxy.upstream.outbound import Outbound
from proxy.upstream.transport import Transport, UpstreamAnswer
from proxy.upstream.unsuccessful import read_unsuccessful

log = logging.getLogger(__name__)
_KEPT = 10_000
_AGE_S = 3600.0
"""After this a verdict that rests on the server's own words is asked again."""
_SHORT_AGE_S = 60.0
"""After this one that rests on a refusal is asked again, and then after twice as long each time, up to an hour."""
_PROBE_S = 10.0
_MOST = 1 << 20
_AFTER_SILENCE_S = 5.0
"""For `initialize` at a server that was silent: both within the time of a probe."""
LATER = frozenset({408, 425, 429})
"""Statuses that say "later", and nothing of the server's kind."""

OpenLegacy = Callable[[float], Awaitable[object]]
"""Opens a legacy session within so many seconds; raises UpstreamFault or Refusal."""


@dataclass(slots=True)
class Found:
    """What an upstream was found to speak; `discovered` is a modern server's own answer."""

    era: Era
    until: float
    """Monotonic time from which on it is asked again."""
    age: float = _AGE_S
    """Seconds for which it was to be believed."""
    discovered: Json | None = None
    stands: bool = True
    """False once something else was found, or it was forgotten."""


@dataclass(frozen=True, slots=True)
class _Heard:
    """What was answered to `server/discover`."""

    is_modern: bool = False
    discovered: Json | None = None
    is_told: bool = False
    """Whether the server itself said that it is not modern: it knows no such method, or lists other revisions."""
    failure: Refusal | UpstreamFault | None = None
    """What may pass, and is told where `initialize` fails too."""


class Eras:
    """The eras of upstreams that were found out, by installation and its address."""

    def __init__(self, transport: Transport, tasks: Tasks) -> None:
        self._transport = transport
        self._found: Standing[str, Found] = Standing(_KEPT)
        self._finding = SingleFlight[Found]("find era", tasks)
        self._asking = SingleFlight[None]("ask for an era again", tasks)
        self._turning = SingleFlight[bool]("ask whether it is modern now", tasks)

    def known(self, installation: ResolvedInstallation) -> Era | None:
        """The era, if it is pinned or was found. The warm path."""
        if installation.protocol != "auto":
            return Era.MODERN if installation.protocol == MODERN else Era.LEGACY
        key = _key(installation)
        found = self._found.peek(key)
        if found is None:
            return None
        if time.monotonic() > found.until:
            self._ask_off_the_path(key, installation, found)
        self._found.touch(key)
        return found.era

    def found(self, installation: ResolvedInstallation) -> Found | None:
        """What `known` rests on, where the era is not pinned."""
        return self._found.peek(_key(installation)) if installation.protocol == "auto" else None

    async def find(self, installation: ResolvedInstallation, open_legacy: OpenLegacy | None) -> Found:
        """Ask the upstream, once for all who wait; a server that is not modern must open a session.

        `open_legacy` None: it is pinned to the modern era. What is known stays where this raises: UpstreamFault, or
        Refusal with the reason why it speaks neither era.
        """
        key = _key(installation)
        # A refusal is of one credential: who comes with another asks by themselves.
        asked = f"{installation.shared_by}/{installation.url}"
        return await self._finding.result(asked, lambda: self._find(key, installation, open_legacy))

    async def became_modern(self, installation: ResolvedInstallation, refusal: Refusal) -> bool:
        """Ask a server that refuses to open a legacy session, once for all who wait: it may have been replaced by a
        modern one. What was known is forgotten.
        """
        status = refusal.words.get("status")
        may_be = refusal.reason in {"upstream_era", "upstream_error"} or (
            refusal.reason == "upstream_status" and isinstance(status, int) and status < 500 and status != 429
        )
        if installation.protocol != "auto" or not may_be:
            return False
        self.forget(installation)
        key = _key(installation)
        return await self._turning.result(key, lambda: self._has_turned_modern(key, installation))

    def forget(self, installation: ResolvedInstallation) -> None:
        """The upstream spoke otherwise than we thought."""
        self._found.pop(_key(installation))

    def forget_installation(self, identifier: str) -> None:
        """The installation changed, or was discovered again by some worker."""
        for key in self._found:
            if key.startswith(identifier + "/"):
                self._found.pop(key)

    async def _find(self, key: str, installation: ResolvedInstallation, open_legacy: OpenLegacy | None) -> Found:
        heard = await self._hear(installation)
        if not heard.is_modern and open_legacy is None:
            raise heard.failure or no_common_version(installation, [])
        if not heard.is_modern and open_legacy is not None:
            heard = await self._opened(installation, heard, open_legacy)
        if heard.is_modern:
            return self._keep(key, Era.MODERN, _AGE_S, heard.discovered)
        return self._keep(key, Era.LEGACY, _AGE_S if heard.is_told else _SHORT_AGE_S)

    async def _has_turned_modern(self, key: str, installation: ResolvedInstallation) -> bool:
        try:
            heard = await self._hear(installation)
        except (Refusal, UpstreamFault):
            return False
        if heard.is_modern:
            self._keep(key, Era.MODERN, _AGE_S, heard.discovered)
        return heard.is_modern

    async def _opened(self, installation: ResolvedInstallation, heard: _Heard, open_legacy: OpenLegacy) -> _Heard:
        """What is known of a server that opened a session, or that refused to because it is modern after all."""
        silent = isinstance(heard.failure, UpstreamFault) and heard.failure.reason == "slow"
        try:
            await open_legacy(_AFTER_SILENCE_S if silent else OPEN_S)
        except Refusal as refusal:
            if refusal.reason == "upstream_era" and (again := await self._hear(installation)).is_modern:
                return again
            raise (None if refusal.reason == "upstream_credential" else heard.failure) or refusal from None
        except UpstreamFault as fault:
            raise heard.failure or fault from None
        return heard

    def _keep(self, key: str, era: Era, age: float, discovered: Json | None = None) -> Found:
        found = Found(era, time.monotonic() + age, age, discovered)
        self._found.put(key, found)
        return found

    def _ask_off_the_path(self, key: str, installation: ResolvedInstallation, found: Found) -> None:
        """Believe what was found for a while longer, and meanwhile ask."""
        self._found.put(key, Found(found.era, time.monotonic() + _SHORT_AGE_S, found.age, found.discovered))
        _ = self._asking.run(key, lambda: self._ask_again(key, installation, found))

    async def _ask_again(self, key: str, installation: ResolvedInstallation, found: Found) -> None:
        try:
            heard = await self._hear(installation)
        except (Refusal, UpstreamFault) as fault:
            log.info("an era was asked for again in vain", extra={"entry": installation.entry, "why": repr(fault)})
            return
        now = self._found.peek(key)
        if now is None or now.era is not found.era:
            return  # a call, or a discovery, has learnt more meanwhile
        if heard.is_modern:
            self._keep(key, Era.MODERN, _AGE_S, heard.discovered)
        elif found.era is Era.LEGACY:
            self._keep(key, Era.LEGACY, _AGE_S if heard.is_told else min(2 * found.age, _AGE_S))
        elif heard.is_told:
            self._found.pop(key)

    async def _hear(self, installation: ResolvedInstallation) -> _Heard:
        """Ask for the modern era. Raises Refusal (credential, redirect), and UpstreamFault where nothing was sent."""
        outbound = Outbound("server/discover", {}, installation.own_headers)
        message, headers = outbound.modern()
        url, body = address_of(installation), orjson.dumps(message)
        try:
            async with self._transport.request("POST", url, headers, body, deadline=_PROBE_S) as response:
                return await _heard(installation, response, outbound.id)
        except UpstreamFault as fault:
            if not fault.sent or fault.reason in {"forbidden_address", "tls"}:
                raise
            return _Heard(failure=fault)


async def _heard(installation: ResolvedInstallation, response: UpstreamAnswer, request_id: int) -> _Heard:
    status = response.status
    if not is_success(status):
        answer = await read_unsuccessful(response)
        if status in {401, 403} or status < 400:
            raise answer.refusal(installation, "probe")
        heard = _of_error(answer.error)
        if heard.is_modern or not (status >= 500 or status in LATER):
            return heard
        return _Heard(failure=answer.refusal(installation, "probe"))
    if is_stream(response):
        async for message in messages(response, cap_bytes=_MOST):
            if is_answer_to(message, request_id):
                return _of_answer(message)
        return _Heard()
    body = await inflated(response, _MOST).read_capped(_MOST)
    try:
        return _of_answer(answer_in(body, request_id))
    except UpstreamFault:
        return _Heard()  # whole, and no MCP: a page, or JSON of something else


def _of_answer(answer: Json) -> _Heard:
    result = answer.get("result")
    if not isinstance(result, dict):
        error = answer.get("error")
        return _of_error(error if isinstance(error, dict) else None)
    versions = result.get("supportedVersions")
    if not isinstance(versions, list):
        return _Heard()
    return _Heard(MODERN in versions, result, is_told=True)


def _of_error(error: Json | None) -> _Heard:
    """-32022 with our version among those it serves means modern; a server that knows no such method is not."""
    if error is None:
        return _Heard()
    code, data = error.get("code"), error.get("data")
    if code != UNSUPPORTED_VERSION:
        return _Heard(is_told=code == METHOD_NOT_FOUND)
    supported = data.get("supported") if isinstance(data, dict) else None
    return _Heard(isinstance(supported, list) and MODERN in supported, is_told=isinstance(supported, list))


def _key(installation: ResolvedInstallation) -> str:
    """A newer credential changes nothing about the server at this address; whatever else changes is announced."""
    return f"{installation.installation_id}/{installation.url}"
