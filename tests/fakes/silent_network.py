"""What stands around a worker, without a socket: control, Redis, and servers of both eras that answer as told.

For models that compare two workers (`tests/trust/test_plan_model.py`). Control's truth is shared by all workers; each
has its own Redis and its own servers, so that neither sees what the other has done.
"""

import asyncio
import json
from collections.abc import Callable, MutableSet
from dataclasses import dataclass, field
from typing import Any, cast

import msgspec
import orjson

from core.egress.faults import UpstreamFault
from core.internal_call import InternalCalls
from core.mcp.versions import MODERN
from core.resolve import InstallationAnswer, InstallationQuestion, InstallationRefusal, ResolvedInstallation
from proxy.redis import RedisAway
from proxy.resolve.control_client import DEADLINE_S, ControlClient
from proxy.resolve.control_pulse import ControlPulse
from proxy.upstream.pool.connection import PoolConnection
from tests.fakes.control import FakeControl
from tests.fakes.planned_lane import LAST, STREAM, Written, event, in_json

Message = dict[str, Any]


class Truth(FakeControl):
    """Control's answers without its listener. They are as of when they were asked for, however long they are held."""

    def __init__(self) -> None:
        super().__init__()
        self.epoch = "epoch"
        self.own: dict[tuple[str, str], ResolvedInstallation | InstallationRefusal] = {}
        """By assignment and user, where an installation is the caller's own."""
        self.made: set[str] = set()
        """Assignments of which each credential of a caller gets another installation."""
        self.held: asyncio.Event | None = None
        """Until it is set no answer arrives."""

    async def answer(self, path: str, body: bytes) -> bytes:
        """The answer to one question, when it arrives. Raises UpstreamFault where none does."""
        answers: dict[str, Callable[[bytes], Any]] = {
            "/internal/token": self._token,
            "/internal/connection": self._installation,
            "/internal/tokens": self._tokens,
            "/internal/connections": self._installations,
            "/internal/gateway": self._gateway,
            "/internal/index": self._index_answer,
        }
        answer, down = msgspec.msgpack.encode(await answers[path](body)), self.down
        try:
            async with asyncio.timeout(DEADLINE_S):
                if self.held is not None:
                    await self.held.wait()
        except TimeoutError:
            raise UpstreamFault("slow", sent=True) from None
        if down:
            raise UpstreamFault("refused", sent=False)
        return answer

    def _resolved(self, asked: InstallationQuestion) -> InstallationAnswer:
        verdict = self.verdicts.get(asked.digest)
        if verdict is not None and verdict.principal is not None:
            own = self.own.get((asked.assignment_id, verdict.principal.id))
            if isinstance(own, InstallationRefusal):
                return InstallationAnswer(refusal=own)
            if own is not None and asked.assignment_id in self.made:
                own = made_of(own, asked.digest)
            if own is not None:
                return InstallationAnswer(installation=own)
        return super()._resolved(asked)


def made_of(own: ResolvedInstallation, digest: str) -> ResolvedInstallation:
    """A caller's installation as it is for this very credential of theirs."""
    headers = [(name, f"{value} with {digest}") for name, value in own.credential_headers]
    return msgspec.structs.replace(own, credential_headers=headers, made_for=digest)


class _NeverAlone(ControlPulse):
    """A control that is asked however often it fails: which of two questions would be the probe is chance."""

    @property
    def away(self) -> bool:
        return False


class AskedControl(ControlClient):
    """One worker's client of it, which remembers the questions."""

    def __init__(self, truth: Truth) -> None:
        super().__init__(cast("Any", None), ("http://control",), cast("InternalCalls", None))
        self._truth, self.pulse = truth, _NeverAlone()
        self.asked: list[tuple[str, bytes]] = []

    async def _post(self, address: str, path: str, body: bytes, secret: bool, seconds: float) -> bytes:
        self.asked.append((path, body))
        return await self._truth.answer(path, body)


class Breakable:
    """A way to a Redis in memory, which can be away."""

    def __init__(self) -> None:
        self.away = False

    async def ask(self, command: Any) -> Any:
        try:
            if self.away:
                raise RedisAway
            await asyncio.sleep(0)
            return await command
        finally:
            command.close()  # one that was cancelled before it began would complain


class SilentRedis(Breakable):
    """One worker's Redis, in memory: breakable, and without lifetimes, which its readers check themselves."""

    def __init__(self) -> None:
        super().__init__()
        self.values: dict[str, Any] = {}
        self.commands = self

    async def get(self, key: str) -> Any:
        return self.values.get(key)

    async def set(self, key: str, value: bytes, ex: int) -> None:
        self.values[key] = value

    async def delete(self, *keys: str) -> None:
        for key in keys:
            self.values.pop(key, None)

    async def mget(self, keys: list[str]) -> list[Any]:
        return [self.values.get(key) for key in keys]

    def pipeline(self, *, transaction: bool) -> "SilentPipeline":
        return SilentPipeline(self)

    async def zrem(self, key: str, *members: str) -> None:
        for member in members:
            self.values.get(key, {}).pop(member, None)

    async def exists(self, key: str) -> bool:
        return key in self.values

    async def hget(self, key: str, name: str) -> Any:
        return self.values.get(key, {}).get(name)

    async def hmget(self, key: str, *names: str) -> list[Any]:
        return [self.values.get(key, {}).get(name) for name in names]

    async def publish(self, *_: Any) -> None:
        pass

    async def close(self) -> None:
        pass


class SilentPipeline:
    """Writes that go together."""

    def __init__(self, redis: SilentRedis) -> None:
        self._redis = redis
        self._steps: list[Callable[[], object]] = []

    def set(self, key: str, value: bytes, ex: int) -> None:
        self._steps.append(lambda: self._redis.values.update({key: value}))

    def sadd(self, key: str, member: str) -> None:
        self._steps.append(lambda: self._members(key).add(member))

    def srem(self, key: str, member: str) -> None:
        self._steps.append(lambda: self._members(key).discard(member))

    def scard(self, key: str) -> None:
        self._steps.append(lambda: len(self._members(key)))

    def expire(self, key: str, seconds: int) -> None:
        self._steps.append(lambda: True)

    async def execute(self) -> list[object]:
        return [step() for step in self._steps]

    def _members(self, key: str) -> MutableSet[str]:
        members: MutableSet[str] = self._redis.values.setdefault(key, {*()})
        return members


@dataclass
class Received:
    """One request as a server got it, but for its id and the length, in which the id's digits count."""

    url: str
    head: list[bytes]
    message: Message

    def header(self, name: str) -> str:
        """The value of a header; empty where there is none."""
        found = [line for line in self.head if line.lower().startswith(name.encode() + b": ")]
        assert len(found) < 2, found
        return found[0].partition(b": ")[2].decode() if found else ""


@dataclass
class SilentServer:
    """One MCP server of one era, whatever the number of connections to it."""

    url: str
    modern: bool
    sessions: list[str] = field(default_factory=list)
    """Identifiers of those that it knows."""
    opened: int = 0

    def answers(self, got: Received, request_id: int, how: str) -> list[bytes]:
        """The pieces of its answer; of a call, `how` says in which form."""
        message = got.message
        wrong = self._wrong(got)
        if wrong is not None:
            return [in_json(_error(request_id, *wrong), "400 Bad Request")]
        match message["method"]:
            case "server/discover":
                versions = {"supportedVersions": [MODERN], "capabilities": {}, "serverInfo": {}}
                found = _result(request_id, versions) if self.modern else _error(request_id, -32601, "no such method")
                return [in_json(found)]
            case "initialize":
                return [self._opens(request_id, message["params"]["protocolVersion"])]
            case "ping":
                return [in_json(_result(request_id, {}))]
            case "tools/call":
                return self._called(got, request_id, how)
        return [b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n"]

    def _wrong(self, got: Received) -> tuple[int, str] | None:
        method, version = got.message["method"], got.header("mcp-protocol-version")
        if self.modern and version != MODERN:
            return -32022, "an unsupported version"
        if not self.modern and version == MODERN and method != "server/discover":
            return -32600, "Missing session ID"
        return None

    def _opens(self, request_id: int, version: str) -> bytes:
        self.opened += 1
        self.sessions.append(f"s{self.opened}")
        body = _result(request_id, {"protocolVersion": version, "capabilities": {}, "serverInfo": {}})
        return in_json(body).replace(b"\r\n\r\n", b"\r\nMcp-Session-Id: s%d\r\n\r\n" % self.opened, 1)

    def _called(self, got: Received, request_id: int, how: str) -> list[bytes]:
        if not self.modern and got.header("mcp-session-id") not in self.sessions:
            return [in_json(_error(request_id, -32001, "Session not found"), "404 Not Found")]
        told = {"content": [{"type": "text", "text": json.dumps(got.message["params"]["arguments"])}]}
        body = _result(request_id, told | {"isError": how == "tool error"})
        if how == "error":
            return [in_json(_error(request_id, -32603, "broken"))]
        if how == "status":
            return [in_json(b"{}", "503 Service Unavailable")]
        if how == "stream":
            return [STREAM + event(body) + LAST]
        if how == "stream and its end":
            return [STREAM + event(body), LAST]
        whole = in_json(body)
        return [whole[:50], whole[50:-5], whole[-5:]] if how == "pieces" else [whole]


class Far(Written):
    """The far side of one connection of the pool: reads what is written, and has it answered in the loop's turn."""

    def __init__(self, connection: PoolConnection, got: Callable[["Far", bytes, bytes], None]) -> None:
        super().__init__(connection)
        self.connection, self._got = connection, got

    def write(self, data: bytes) -> None:
        head, _, body = data.partition(b"\r\n\r\n")
        asyncio.get_running_loop().call_soon(self._got, self, head, body)

    def says(self, pieces: list[bytes]) -> None:
        """Bytes, in pieces, unless it was closed."""
        for piece in pieces:
            if not self.closed:
                self.connection.data_received(piece)


def received(url: str, head: bytes, body: bytes) -> tuple[Received, int]:
    """A request, and its id; 0 for none."""
    message = json.loads(body)
    lines = [line for line in head.split(b"\r\n") if not line.lower().startswith(b"content-length:")]
    request_id = message.pop("id", 0)
    assert isinstance(request_id, int)
    return Received(url, lines, message), request_id


def _result(request_id: int, result: Message) -> bytes:
    return orjson.dumps({"jsonrpc": "2.0", "id": request_id, "result": result})


def _error(request_id: int, code: int, text: str) -> bytes:
    data = {"supported": [MODERN]} if code == -32022 else None
    return orjson.dumps({"jsonrpc": "2.0", "id": request_id, "error": {"code": code, "message": text, "data": data}})
