"""Probe: what does this server speak, and what does it offer? Discovery in control asks, with all pages.

The same eras, sessions and refusals as for calls, so there is one implementation of each.
"""

import logging
from dataclasses import dataclass

from core.mcp.shapes import META_SERVER_INFO
from core.mcp.versions import MODERN, Era
from core.resolve import Probe, ProbeQuestion, ResolvedInstallation
from proxy.refusals import Refusal
from proxy.upstream.answers import Json
from proxy.upstream.conversation import Owner, Upstreams
from proxy.upstream.faults import why
from proxy.upstream.outbound import Outbound

log = logging.getLogger(__name__)
_MAX_PAGES = 100
_MAX_ITEMS = 5_000
_OWNER = Owner("discovery")


@dataclass(frozen=True, slots=True)
class _Server:
    era: Era
    version: str
    info: Json
    capabilities: list[str]


class Prober:
    """Probes upstreams through the worker's own `Upstreams`."""

    def __init__(self, upstreams: Upstreams) -> None:
        self._upstreams = upstreams

    async def probe(self, question: ProbeQuestion) -> Probe:
        """What was found; a refusal becomes the probe's `fault` and `sentence`."""
        try:
            return await self._probe(question)
        except Refusal as refusal:
            entry = question.installation.entry
            log.info("a probe failed", extra={"entry": entry, "reason": refusal.reason, "detail": refusal.detail})
            said = f"It said: {refusal.text[:256]}" if refusal.text else ""
            return Probe(
                fault=refusal.reason, sentence=" ".join(filter(None, (refusal.sentence, why(refusal), said)))
            )

    async def _probe(self, question: ProbeQuestion) -> Probe:
        installation = question.installation
        server = await self._meet(installation)
        tools: list[dict[str, object]] = []
        resources: list[dict[str, object]] = []
        if question.lists and "tools" in server.capabilities:
            tools = await self._all(installation, "tools/list", "tools")
        if question.lists and "resources" in server.capabilities and not tools:
            resources = await self._all(installation, "resources/list", "resources")
        return Probe(
            era="modern" if server.era is Era.MODERN else "legacy",
            version=server.version,
            server_name=str(server.info.get("name", ""))[:128],
            server_version=str(server.info.get("version", ""))[:64],
            capabilities=server.capabilities,
            tools=tools,
            resources=resources,
        )

    async def _meet(self, installation: ResolvedInstallation) -> _Server:
        return await self._upstreams.health.guarded(installation, self._met(installation))

    async def _met(self, installation: ResolvedInstallation) -> _Server:
        self._upstreams.health.eras.forget(installation)
        if installation.protocol in {"auto", MODERN}:
            found = await self._upstreams.health.eras.find(installation)
            if found.era is Era.MODERN and found.discovered is not None:
                meta = found.discovered.get("_meta")
                info = meta.get(META_SERVER_INFO) if isinstance(meta, dict) else None
                return _Server(
                    Era.MODERN,
                    MODERN,
                    info if isinstance(info, dict) else {},
                    _names(found.discovered.get("capabilities")),
                )
            if installation.protocol == MODERN:
                raise Refusal("upstream_era", server=installation.entry)
        key = self._upstreams.sessions.key(installation, _OWNER.principal_key, None)
        session = await self._upstreams.sessions.open(key, installation)
        return _Server(Era.LEGACY, session.version, session.server, _names(session.capabilities))

    async def _all(self, installation: ResolvedInstallation, method: str, member: str) -> list[dict[str, object]]:
        """Every page of a list; a cursor that comes again, or more than 100 pages, ends it."""
        items: list[dict[str, object]] = []
        cursor: str | None = None
        seen: set[str] = set()
        for _ in range(_MAX_PAGES):
            params: Json = {} if cursor is None else {"cursor": cursor}
            outbound = Outbound(method, params, installation.own_headers)
            answer = await self._upstreams.call(installation, outbound, _OWNER, _ignore)
            result = answer.get("result")
            found = result.get(member) if isinstance(result, dict) else None
            if not isinstance(result, dict) or not isinstance(found, list):
                raise Refusal("upstream_broken", server=installation.entry, detail=f"{method} without {member}")
            items += [item for item in found if isinstance(item, dict)]
            following = result.get("nextCursor")
            if not isinstance(following, str) or following in seen or len(items) > _MAX_ITEMS:
                break
            seen.add(following)
            cursor = following
        return items[:_MAX_ITEMS]


def _names(capabilities: object) -> list[str]:
    return sorted(str(name) for name in capabilities) if isinstance(capabilities, dict) else []


async def _ignore(_: Json) -> None:
    """Progress of a list is nobody's concern."""
