"""Which era an upstream speaks, found out once and remembered.

A modern request is tried first (`server/discover`), as MCP 2026-07-28 asks of clients of both eras. 401 and 403 say
nothing about the era; neither does a server that fails: such a probe is an error, not "legacy".
"""

import time
from dataclasses import dataclass

import orjson

from core.egress.addresses import PublicUrl
from core.egress.faults import UpstreamFault
from core.mcp.faults import UNSUPPORTED_VERSION
from core.mcp.versions import MODERN, Era
from core.resolve import ResolvedInstallation
from core.tasks import Tasks
from proxy.caches.bounded import Bounded
from proxy.caches.single_flight import SingleFlight
from proxy.upstream.answers import Json, is_answer_to, is_success, messages
from proxy.upstream.outbound import Outbound
from proxy.upstream.transport import Transport
from proxy.upstream.unsuccessful import read_unsuccessful

_KEPT = 10_000
_AGE_S = 3600.0
_PROBE_S = 10.0


@dataclass(frozen=True, slots=True)
class Found:
    """What a probe of an upstream's era found; `discovered` is a modern server's own answer."""

    era: Era
    asked: float
    discovered: Json | None = None


class Eras:
    """The eras of upstreams that were found out, by installation and its version."""

    def __init__(self, transport: Transport, tasks: Tasks) -> None:
        self._transport = transport
        self._found: Bounded[str, Found] = Bounded(_KEPT)
        self._probing = SingleFlight[Found]("probe era", tasks)

    def known(self, installation: ResolvedInstallation) -> Era | None:
        """The era, if it is pinned or was found lately. The warm path."""
        if installation.protocol != "auto":
            return Era.MODERN if installation.protocol == MODERN else Era.LEGACY
        key = _key(installation)
        found = self._found.peek(key)
        if found is None or time.monotonic() - found.asked > _AGE_S:
            return None
        self._found.touch(key)
        return found.era

    async def find(self, installation: ResolvedInstallation) -> Found:
        """Probe the upstream, once for all who wait. Raises UpstreamFault, or Refusal for 401, 403 and 5xx."""
        key = _key(installation)
        found = await self._probing.result(key, lambda: self._probe(installation))
        self._found.put(key, found)
        return found

    def forget(self, installation: ResolvedInstallation) -> None:
        """The upstream spoke otherwise than we thought."""
        self._found.pop(_key(installation))

    async def _probe(self, installation: ResolvedInstallation) -> Found:
        asked = time.monotonic()
        outbound = Outbound("server/discover", {}, installation.own_headers)
        message, headers = outbound.modern()
        url = PublicUrl(installation.url)
        async with self._transport.request(
            "POST", url, headers, orjson.dumps(message), deadline=_PROBE_S
        ) as response:
            if not is_success(response.status):
                unsuccessful = await read_unsuccessful(response)
                if response.status in {401, 403} or response.status < 400 or response.status >= 500:
                    raise unsuccessful.refusal(installation, "probe")
                return Found(_era_of_error(unsuccessful.error), asked)
            try:
                async for answer in messages(response, cap_bytes=1 << 20):
                    if is_answer_to(answer, outbound.id):
                        return _found(answer, asked)
            except UpstreamFault as fault:
                if fault.reason == "slow":
                    raise
        return Found(Era.LEGACY, asked)


def _found(answer: Json, asked: float) -> Found:
    result = answer.get("result")
    if isinstance(result, dict):
        versions = result.get("supportedVersions")
        if isinstance(versions, list) and MODERN in versions:
            return Found(Era.MODERN, asked, result)
        return Found(Era.LEGACY, asked)
    error = answer.get("error")
    return Found(_era_of_error(error if isinstance(error, dict) else None), asked)


def _era_of_error(error: Json | None) -> Era:
    """-32022 with our version among those it serves means modern; every other refusal means legacy."""
    if error is None or error.get("code") != UNSUPPORTED_VERSION:
        return Era.LEGACY
    data = error.get("data")
    supported = data.get("supported") if isinstance(data, dict) else None
    if isinstance(supported, list) and MODERN in supported:
        return Era.MODERN
    return Era.LEGACY


def _key(installation: ResolvedInstallation) -> str:
    return f"{installation.installation_id}/{installation.version}"
