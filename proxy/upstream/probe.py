"""Probe: what does this server speak, and what does it offer? Discovery in control asks, with all pages.

The same eras, sessions and refusals as for calls, so there is one implementation of each.
"""

import asyncio
import logging
from dataclasses import dataclass
from typing import Final, Literal

from core.mcp.faults import METHOD_NOT_FOUND
from core.mcp.questions import profile_of
from core.mcp.shapes import META_SERVER_INFO
from core.mcp.versions import MODERN, Era
from core.probes import Probe, ProbeQuestion
from core.resolve import ResolvedInstallation
from proxy.refusals import Refusal
from proxy.upstream.answers import Json
from proxy.upstream.conversation import Upstreams
from proxy.upstream.faults import upstream_text
from proxy.upstream.handshake import OPEN_S, Opened
from proxy.upstream.list_answers import ListAnswers, read_all
from proxy.upstream.look import look_for_redirect
from proxy.upstream.outbound import Outbound
from proxy.upstream.running_call import Owner
from proxy.upstream.transport import Transport
from proxy.upstream.unsuccessful import error_words
from proxy.upstream.way_out import way_out

log = logging.getLogger(__name__)
_OWNER = Owner("discovery")
_SECONDS: Final = 17.0
"""For a whole probe, where the question says nothing: control waits for 20 s, and for the words of a failure too."""
_UNANNOUNCED_S: Final = 3.0
_DECLARED: Final[dict[str, object]] = {"elicitation": {"form": {}, "url": {}}, "sampling": {}, "roots": {}}
"""What a probe says that it can be asked, though it answers nothing: some servers list a tool that asks only for a
client that can be. Whether a caller may be asked is decided for each call."""
_MOST_CAPABILITIES: Final = 50
"""That are told, and the characters of each: a server may say megabytes of them."""
_LONGEST_CAPABILITY: Final = 256


@dataclass(frozen=True, slots=True)
class _Server:
    era: Era
    version: str
    info: Json
    capabilities: list[str]

    @property
    def era_name(self) -> Literal["modern", "legacy"]:
        """As probes tell it."""
        return "modern" if self.era is Era.MODERN else "legacy"


class Prober:
    """Probes upstreams through the worker's own `Upstreams`; `transport` is theirs."""

    def __init__(self, upstreams: Upstreams, transport: Transport) -> None:
        self._upstreams, self._transport = upstreams, transport

    async def probe(self, question: ProbeQuestion) -> Probe:
        """What was found; a refusal becomes the probe's `fault` and `sentence`."""
        if question.look:
            return await look_for_redirect(self._transport, question.installation)
        seconds, server = question.seconds or _SECONDS, None
        clock = asyncio.timeout(seconds)
        try:
            async with clock:
                server = await self._meet(question.installation)
                return await self._listed(question, server)
        except Refusal as refusal:
            return await self._failed(question.installation, refusal, server)
        except TimeoutError:
            if not clock.expired():
                raise
        late = Refusal("upstream_slow", server=question.installation.entry, seconds=seconds)
        return await self._failed(question.installation, late, server)

    async def _failed(self, installation: ResolvedInstallation, refusal: Refusal, server: _Server | None) -> Probe:
        """The fault in words: what happened, what to do about it, and last what the server said."""
        known = {"entry": installation.entry, "reason": refusal.reason, "detail": refusal.detail}
        log.info("a probe failed", extra=known)
        cure = way_out(refusal, installation, "" if server is None else server.era_name)
        said = refusal.said or refusal.text
        words = f"It said: {said}" if said else ""
        return Probe(fault=refusal.reason, sentence=" ".join(filter(None, (refusal.sentence, cure, words))))

    async def _listed(self, question: ProbeQuestion, server: _Server) -> Probe:
        installation = question.installation
        tools, resources = ListAnswers("tools"), ListAnswers("resources")
        if question.lists and "tools" in server.capabilities:
            tools = await self._all(installation, "tools/list", "tools")
        if question.lists and "resources" in server.capabilities and not tools.items and not tools.rejected:
            resources = await self._all(installation, "resources/list", "resources")
        if question.lists and not {"tools", "resources"} & set(server.capabilities):
            tools = await self._unannounced(installation)
        return Probe(
            era=server.era_name,
            version=server.version,
            server_name=upstream_text(server.info.get("name")),
            server_version=upstream_text(server.info.get("version")),
            capabilities=_told(server.capabilities),
            tools=tools.items,
            resources=resources.items,
            rejected=tools.rejected + resources.rejected,
            notes=tools.notes + resources.notes,
        )

    async def _unannounced(self, installation: ResolvedInstallation) -> ListAnswers:
        """The tools of a server that does not say that it has any: some have them all the same."""
        try:
            async with asyncio.timeout(_UNANNOUNCED_S):
                return await self._all(installation, "tools/list", "tools")
        except (Refusal, TimeoutError):
            return ListAnswers("tools")

    async def _meet(self, installation: ResolvedInstallation) -> _Server:
        question = Outbound("server/discover", {}, installation.own_headers)
        caller = _OWNER.principal_key
        return await self._upstreams.health.guarded(installation, question, caller, self._met(installation))

    async def _met(self, installation: ResolvedInstallation) -> _Server:
        try:
            return await self._met_now(installation)
        except Refusal as refusal:
            if not await self._upstreams.old.is_behind(refusal, installation):
                raise
        key = self._upstreams.sessions.key(installation, _OWNER.principal_key, None, profile_of(_DECLARED))
        found = await self._upstreams.old.open_anew(key, installation, _DECLARED)
        return _Server(Era.LEGACY, found.session.version, found.server, _names(found.capabilities))

    async def _met_now(self, installation: ResolvedInstallation) -> _Server:
        """Asked again, whatever is known of it: an era that calls were wrong about, a session that it has lost."""
        sessions = self._upstreams.sessions
        key = sessions.key(installation, _OWNER.principal_key, None, profile_of(_DECLARED))
        opened: list[Opened] = []

        async def open_session(within: float) -> None:
            opened.append(await sessions.open_anew(key, installation, within, _DECLARED))

        if installation.protocol in {"auto", MODERN}:
            found = await self._upstreams.health.eras.find(
                installation, open_session if installation.protocol == "auto" else None
            )
            if found.era is Era.MODERN and found.discovered is not None:
                meta = found.discovered.get("_meta")
                info = meta.get(META_SERVER_INFO) if isinstance(meta, dict) else None
                return _Server(
                    Era.MODERN,
                    MODERN,
                    info if isinstance(info, dict) else {},
                    _names(found.discovered.get("capabilities")),
                )
        if not opened:
            await open_session(OPEN_S)
        found_out = opened[-1]
        return _Server(Era.LEGACY, found_out.session.version, found_out.server, _names(found_out.capabilities))

    async def _all(self, installation: ResolvedInstallation, method: str, member: str) -> ListAnswers:
        lists = ListAnswers(member)
        await read_all(lists, lambda cursor: self._page(installation, method, cursor, lists))
        return lists

    async def _page(
        self, installation: ResolvedInstallation, method: str, cursor: str | None, lists: ListAnswers
    ) -> Json | None:
        """The result with one page, which `lists` has read; None where it is more than the list may still have."""
        params: Json = {} if cursor is None else {"cursor": cursor}
        own = installation.own_headers
        outbound = Outbound(method, params, own, capabilities=_DECLARED, on_stream=True, lists=lists)
        try:
            answer = await self._upstreams.call(installation, outbound, _OWNER, _NOBODY)
        except Refusal as refusal:
            if refusal.reason != "upstream_too_large" or not lists.is_begun:
                raise
            lists.ends(f"a page beyond its first ones with more than {refusal.words.get('limit')} bytes")
            return None
        result, error = answer.get("result"), answer.get("error")
        if isinstance(error, dict):
            raise Refusal("upstream_error", server=installation.entry, detail=method, said=error_words(error))
        if not isinstance(result, dict) or not isinstance(result.get(lists.member), list):
            raise Refusal("upstream_broken", server=installation.entry, detail=f"{method} without {lists.member}")
        return result


def _names(capabilities: object) -> list[str]:
    return sorted(str(name) for name in capabilities) if isinstance(capabilities, dict) else []


def _told(capabilities: list[str]) -> list[str]:
    """The names of capabilities as control gets them: few and short, and whether there are lists is not lost."""
    first = capabilities[:_MOST_CAPABILITIES]
    lists = [name for name in ("prompts", "resources", "tools") if name in capabilities and name not in first]
    return [name[:_LONGEST_CAPABILITY] for name in first + lists]


class _Nobody:
    """Beside a list nobody is told anything, or asked."""

    async def tell(self, method: str, params: Json) -> None:
        """Nothing."""

    async def ask(self, method: str, params: Json) -> Json:
        """Nobody answers."""
        return {"error": {"code": METHOD_NOT_FOUND, "message": "This client offers no such method."}}


_NOBODY: Final = _Nobody()
