"""Opening a legacy session: `initialize`, then `notifications/initialized`, with the revision that the server takes.

Called by `sessions`, which remembers what was opened. Our newest revision is offered first, or the one to which the
installation is pinned. A server that refuses it (some answer an error instead of a revision of their own) is asked
once more, with the newest that it names and we speak, or with an old one that nearly all know. We declare no
capability, so that a server has nothing to ask us for, but for the session of one client that can be asked.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

import msgspec
import orjson

from core.egress.faults import UpstreamFault
from core.mcp.faults import UNSUPPORTED_VERSION
from core.mcp.versions import LATEST_LEGACY, LEGACY_VERSIONS
from core.resolve import ResolvedInstallation
from proxy.our_name import CLIENT_INFO
from proxy.refusals import Refusal
from proxy.upstream.addresses import address_of
from proxy.upstream.answers import Json, is_answer_to, is_success, messages
from proxy.upstream.faults import no_common_version, upstream_text
from proxy.upstream.outbound import Outbound
from proxy.upstream.transport import Requests, UpstreamAnswer
from proxy.upstream.unsuccessful import Unsuccessful, error_words, read_unsuccessful

OPEN_S = 20.0
WIDELY_KNOWN = "2025-03-26"
"""The first revision with this transport."""
MAX_SESSION_ID = 8_192
"""Characters: a worker remembers thousands of sessions."""
# MCP 2025-11-25, transports, "Session Management": visible ASCII.
_SESSION_ID = re.compile(rf"[\x21-\x7e]{{1,{MAX_SESSION_ID}}}")
_DATE = re.compile(r"(?<!\d)20\d\d-[01]\d-[0-3]\d(?!\d)")
_OF_VERSION = re.compile(
    r"(?:unsupported|not support|invalid|unknown|bad|wrong)\b[\s\S]{0,40}?version"
    r"|version[\s\S]{0,40}?(?:unsupported|not support|invalid|unknown|mismatch)",
    re.IGNORECASE,
)


class UpstreamSession(msgspec.Struct, frozen=True, array_like=True):
    """What calls need of a session with a legacy upstream. `id` None: the server keeps no session.

    Thousands are kept, here and in Redis: what else the server said of itself is not.
    """

    id: str | None
    version: str


@dataclass(frozen=True, slots=True)
class Opened:
    """A session that was opened just now, and all that the server said of itself, for discovery."""

    session: UpstreamSession
    capabilities: Json
    server: Json


class _Refused(Exception):
    """`initialize` was refused with this answer."""

    def __init__(self, answer: Unsuccessful) -> None:
        super().__init__()
        self.answer = answer


async def initialize(
    transport: Requests,
    installation: ResolvedInstallation,
    within: float = OPEN_S,
    capabilities: Mapping[str, object] | None = None,
) -> Opened:
    """Open a session; each request of it may take so many seconds. Raises UpstreamFault, or Refusal with a reason.

    `capabilities`: what the server may ask the client of this session for; None or empty: nothing.
    """
    declared = dict(capabilities or {})
    pinned = installation.revision
    asked = pinned or LATEST_LEGACY
    try:
        opened = await _initialized(transport, installation, asked, within, declared)
    except _Refused as refused:
        other = None if pinned else another_version(asked, refused.answer)
        if other is None:
            raise _refusal(installation, asked, refused.answer) from None
        try:
            opened = await _initialized(transport, installation, other, within, declared)
        except _Refused as again:
            # Where none was named, the first answer is the telling one: the second was our guess.
            told = again if versions_named(refused.answer, asked) else refused
            raise _refusal(installation, asked, told.answer) from None
    await _tell_initialized(transport, installation, opened.session, within)
    return opened


def another_version(asked: str, answer: Unsuccessful) -> str | None:
    """The revision with which a server that refused `asked` is asked once more; None where that has no sense."""
    named = versions_named(answer, asked)
    if named:
        return max((one for one in LEGACY_VERSIONS if one in named), default=None)
    wordless = answer.status == 400 and not answer.words
    return WIDELY_KNOWN if wordless or (answer.status < 500 and _OF_VERSION.search(answer.words)) else None


def versions_named(answer: Unsuccessful, asked: str) -> list[str]:
    """The revisions that a refusal says the server has: in `data.supported`, else in its words."""
    data = None if answer.error is None else answer.error.get("data")
    supported = data.get("supported") if isinstance(data, dict) else None
    if isinstance(supported, list):
        return [one for one in supported[:50] if isinstance(one, str) and _DATE.fullmatch(one)]
    return [one for one in dict.fromkeys(_DATE.findall(answer.words)) if one != asked][:50]


async def _initialized(
    transport: Requests, installation: ResolvedInstallation, version: str, within: float, capabilities: Json
) -> Opened:
    params: Json = {"protocolVersion": version, "capabilities": capabilities, "clientInfo": CLIENT_INFO}
    outbound = Outbound("initialize", params, installation.own_headers)
    message, headers = outbound.legacy(version, None)
    del headers["mcp-protocol-version"]  # not negotiated yet
    url = address_of(installation)
    async with transport.request("POST", url, headers, orjson.dumps(message), deadline=within) as response:
        if not is_success(response.status):
            raise _Refused(await read_unsuccessful(response))
        result = await _result(response, outbound.id)
        return _negotiated(response.header("mcp-session-id"), result, installation)


async def _tell_initialized(
    transport: Requests, installation: ResolvedInstallation, session: UpstreamSession, within: float
) -> None:
    told = orjson.dumps({"jsonrpc": "2.0", "method": "notifications/initialized"})
    _, headers = Outbound("notifications/initialized", {}, installation.own_headers).legacy(
        session.version, session.id
    )
    url = address_of(installation)
    async with transport.request("POST", url, headers, told, deadline=within) as response:
        if response.status >= 300:
            raise (await read_unsuccessful(response)).refusal(installation, "notifications/initialized")


async def _result(response: UpstreamAnswer, request_id: int) -> Json:
    async for message in messages(response, cap_bytes=1 << 20):
        if not is_answer_to(message, request_id):
            continue
        result, error = message.get("result"), message.get("error")
        if isinstance(result, dict):
            return result
        assert isinstance(error, dict)  # `is_answer_to` says so
        raise _Refused(Unsuccessful(200, error, request_id, error_words(error)))
    raise UpstreamFault("broken", sent=True, whole=True, detail="initialize was not answered")


def _negotiated(session_id: str | None, result: Json, installation: ResolvedInstallation) -> Opened:
    version = result.get("protocolVersion")
    if version not in LEGACY_VERSIONS:
        named = version if isinstance(version, str) and _DATE.fullmatch(version) else "none that is a date"
        raise no_common_version(installation, [named], detail=f"initialize: version {version!r}")
    if session_id is not None and _SESSION_ID.fullmatch(session_id) is None:
        detail = f"the session id is not 1 to {MAX_SESSION_ID} visible ASCII characters"
        raise UpstreamFault("broken", sent=True, whole=True, detail=detail)
    capabilities, server = result.get("capabilities"), result.get("serverInfo")
    return Opened(
        UpstreamSession(session_id, str(version)),
        capabilities if isinstance(capabilities, dict) else {},
        server if isinstance(server, dict) else {},
    )


def _refusal(installation: ResolvedInstallation, asked: str, answer: Unsuccessful) -> Refusal:
    status, error = answer.status, answer.error
    if status in {401, 403} or status >= 500 or 300 <= status < 400:
        return answer.refusal(installation, "initialize")
    named = versions_named(answer, asked)
    code = None if error is None else error.get("code")
    text = "" if error is None else upstream_text(error.get("message"))
    detail = f"initialize: {status}, {code}"
    if named or code == UNSUPPORTED_VERSION:
        return no_common_version(installation, named, text=text, said=answer.words, detail=detail)
    if error is None:
        return answer.refusal(installation, "initialize")
    return Refusal("upstream_error", server=installation.entry, text=text, said=answer.words, detail=detail)
