"""Sessions with legacy upstreams: made on first use, one per owner, remade when the upstream has lost one.

The owner is the entry's choice: the caller (default), the caller's own session, or everybody where the entry says so.
A session is never used for another owner. Sealed copies in Redis let another worker use it. We declare no capability,
so that a server has nothing to ask us for.
"""

import logging
import re
import time

import msgspec
import orjson

from core import redis_names
from core.egress.addresses import PublicUrl
from core.egress.faults import UpstreamFault
from core.keys import KeyRing
from core.mcp.faults import UNSUPPORTED_VERSION
from core.mcp.versions import LATEST_LEGACY, LEGACY_VERSIONS
from core.resolve import ResolvedInstallation
from core.sealing import SealBroken, Sealer
from core.tasks import Tasks
from proxy.caches.bounded import Bounded
from proxy.caches.single_flight import SingleFlight
from proxy.our_name import CLIENT_INFO
from proxy.redis import Redis, RedisAway
from proxy.refusals import Refusal
from proxy.upstream.answers import Json, is_answer_to, is_success, messages
from proxy.upstream.faults import upstream_text
from proxy.upstream.outbound import Outbound
from proxy.upstream.transport import Transport, UpstreamAnswer
from proxy.upstream.unsuccessful import error_words, read_unsuccessful

log = logging.getLogger(__name__)
_KEPT = 20_000
_AGE_S = 1500.0
"""SDK servers end a session that was idle for 30 minutes."""
_OPEN_S = 20.0
# MCP 2025-11-25, transports, "Session Management": visible ASCII.
_SESSION_ID = re.compile(r"[\x21-\x7e]{1,8192}")


class UpstreamSession(msgspec.Struct, frozen=True, array_like=True):
    """A session with a legacy upstream, as `initialize` opened it. `id` None: the server keeps no session."""

    id: str | None
    version: str
    capabilities: dict[str, object]
    server: dict[str, object]


class UpstreamSessions:
    """The sessions with legacy upstreams, by owner and upstream."""

    def __init__(self, transport: Transport, redis: Redis, ring: KeyRing, tasks: Tasks) -> None:
        self._transport, self._redis = transport, redis
        self._sealer = Sealer(ring, "upstream-session")
        self._held: Bounded[str, tuple[UpstreamSession, float]] = Bounded(_KEPT)
        self._opening = SingleFlight[UpstreamSession]("open upstream session", tasks)

    @staticmethod
    def key(installation: ResolvedInstallation, principal_key: str, session_jti: str | None) -> str:
        """Who shares this session."""
        owner = {"shared": "*", "principal": principal_key}.get(installation.isolation)
        if owner is None:
            owner = f"session:{session_jti}" if session_jti else principal_key
        return f"{installation.installation_id}/{installation.version}/{owner}"

    def known(self, key: str) -> UpstreamSession | None:
        """The session, if this worker has it. The warm path."""
        held = self._held.peek(key)
        if held is None or time.monotonic() - held[1] > _AGE_S:
            return None
        self._held.touch(key)
        return held[0]

    async def open(self, key: str, installation: ResolvedInstallation) -> UpstreamSession:
        """The session, from Redis or by `initialize`, once for all who wait. Raises UpstreamFault or Refusal."""
        return await self._opening.result(key, lambda: self._find_or_open(key, installation))

    async def lost(self, key: str, session: UpstreamSession) -> None:
        """The upstream does not know this session any more: forget it, unless another took its place already."""
        held = self._held.get(key)
        if held is not None and held[0] == session:
            self._held.pop(key)
        if await self._copy(key) != session:
            return  # another worker has opened a new one already
        try:
            await self._redis.ask(self._redis.commands.delete(redis_names.upstream_session_key(key)))
        except RedisAway:
            return

    def forget_installation(self, identifier: str) -> None:
        """The installation changed."""
        for key in self._held:
            if key.startswith(identifier + "/"):
                self._held.pop(key)

    async def _find_or_open(self, key: str, installation: ResolvedInstallation) -> UpstreamSession:
        session = await self._copy(key)
        if session is None:
            session = await initialize(self._transport, installation)
            await self._leave_copy(key, session)
        self._held.put(key, (session, time.monotonic()))
        return session

    async def _copy(self, key: str) -> UpstreamSession | None:
        try:
            sealed = await self._redis.ask(self._redis.commands.get(redis_names.upstream_session_key(key)))
            if sealed is None:
                return None
            return msgspec.msgpack.decode(self._sealer.open(sealed, key), type=UpstreamSession)
        except RedisAway:
            return None
        except (SealBroken, msgspec.MsgspecError) as broken:
            log.error("a kept upstream session was not ours", extra={"why": str(broken)})
            return None

    async def _leave_copy(self, key: str, session: UpstreamSession) -> None:
        sealed = self._sealer.seal(msgspec.msgpack.encode(session), key)
        try:
            await self._redis.ask(
                self._redis.commands.set(redis_names.upstream_session_key(key), sealed, ex=int(_AGE_S))
            )
        except RedisAway:
            return


async def initialize(transport: Transport, installation: ResolvedInstallation) -> UpstreamSession:
    """Open a legacy session: `initialize`, then `notifications/initialized`."""
    credential = installation.own_headers
    params: Json = {"protocolVersion": LATEST_LEGACY, "capabilities": {}, "clientInfo": CLIENT_INFO}
    outbound = Outbound("initialize", params, credential)
    message, headers = outbound.legacy(LATEST_LEGACY, None)
    del headers["mcp-protocol-version"]  # not negotiated yet
    url = PublicUrl(installation.url)
    async with transport.request("POST", url, headers, orjson.dumps(message), deadline=_OPEN_S) as response:
        if not is_success(response.status):
            unsuccessful = await read_unsuccessful(response)
            if unsuccessful.error is None or response.status in {401, 403} or response.status >= 500:
                raise unsuccessful.refusal(installation, "initialize")
            raise _refused(installation, unsuccessful.error)
        result = await _result(response, outbound.id, installation)
        session = _negotiated(response.header("mcp-session-id"), result, installation)
    initialized = orjson.dumps({"jsonrpc": "2.0", "method": "notifications/initialized"})
    _, headers = Outbound("notifications/initialized", {}, credential).legacy(session.version, session.id)
    async with transport.request("POST", url, headers, initialized, deadline=_OPEN_S) as response:
        if response.status >= 300:
            raise (await read_unsuccessful(response)).refusal(installation, "notifications/initialized")
    return session


async def _result(response: UpstreamAnswer, request_id: int, installation: ResolvedInstallation) -> Json:
    async for message in messages(response, cap_bytes=1 << 20):
        if not is_answer_to(message, request_id):
            continue
        result = message.get("result")
        if isinstance(result, dict):
            return result
        error = message.get("error")
        raise _refused(installation, error if isinstance(error, dict) else {})
    raise UpstreamFault("broken", sent=True, detail="initialize was not answered")


def _negotiated(session_id: str | None, result: Json, installation: ResolvedInstallation) -> UpstreamSession:
    version = result.get("protocolVersion")
    if version not in LEGACY_VERSIONS:
        raise Refusal("upstream_era", server=installation.entry, detail=f"initialize: version {version!r}")
    if session_id is not None and _SESSION_ID.fullmatch(session_id) is None:
        raise UpstreamFault("broken", sent=True, detail="the session id is not visible ASCII")
    capabilities, server = result.get("capabilities"), result.get("serverInfo")
    return UpstreamSession(
        session_id,
        str(version),
        capabilities if isinstance(capabilities, dict) else {},
        server if isinstance(server, dict) else {},
    )


def _refused(installation: ResolvedInstallation, error: Json) -> Refusal:
    reason = "upstream_era" if error.get("code") == UNSUPPORTED_VERSION else "upstream_error"
    text = upstream_text(error.get("message"))
    return Refusal(reason, server=installation.entry, text=text, said=error_words(error))
