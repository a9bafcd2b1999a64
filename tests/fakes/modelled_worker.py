"""One worker of a model, with all that it sees: its callers, its servers, its Redis, and a control that others share.

Everything it does can be read off it in a form that is equal for two workers that were asked the same: what its
callers got (`answers`), what its servers got (`sent`), its records, its questions to control and its counters.
"""

import json
import re
from dataclasses import dataclass, field
from typing import Any, cast
from unittest.mock import patch

from core import redis_names
from core.changes import Change
from core.snapshot import sign_gateway
from core.tokens import digest
from proxy.edge.fast_connection import FastConnection
from proxy.edge.fast_lane import FastLane
from proxy.edge.lanes import public_listener
from proxy.letters import deliver
from proxy.sessions.mailbox import Letter
from proxy.telemetry.metrics import AUTHENTICATIONS, CALLS, REFUSALS, REQUESTS, RESOLUTIONS
from proxy.upstream.pool.connection import PoolConnection
from proxy.upstream.pool.pool import UpstreamPool
from proxy.upstream.pool.request import Target
from proxy.worker import Worker
from tests.fakes.call_records import waiting_records
from tests.fakes.callers import a_user
from tests.fakes.held_parts import holds_nothing
from tests.fakes.planned_lane import LEGACY, Answered, Written
from tests.fakes.proxy_parts import proxy_settings
from tests.fakes.silent_network import AskedControl, Far, Received, SilentRedis, SilentServer, Truth, received
from tests.proxy.conftest import modern_request

SOFT, HARD, CALL_S = 60.0, 600.0, 20.3
_COUNTED = tuple(metric.name for metric in (CALLS, REFUSALS, AUTHENTICATIONS, RESOLUTIONS, REQUESTS))
_OWN_LINES = re.compile(rb"\r\n(?:X-Request-Id|Mcp-Session-Id): [^\r]*", re.IGNORECASE)
_REQUEST_ID = re.compile(rb'(?<="request_id":")[0-9a-f-]+')
_OF_ONE_RECORD = frozenset({"id", "time", "duration_ms", "request_id", "session"})


@dataclass
class ModelCaller:
    """Somebody with a token, whose client speaks one era."""

    name: str
    user: str
    modern: bool
    token: str = ""

    @property
    def digest(self) -> str:
        return digest(self.token)


@dataclass(frozen=True)
class ModelCall:
    """One call: by whom, of what, with which further header lines, and how its server answers."""

    number: int
    caller: ModelCaller
    token: str
    tool: str
    lines: str = ""
    how: str = "json"

    @property
    def arguments(self) -> dict[str, Any]:
        return {"who": self.caller.name, "n": self.number}


@dataclass
class Told:
    """What can be told of a worker since the last time."""

    answers: dict[int, Any] = field(default_factory=dict)
    sent: list[Received] = field(default_factory=list)
    records: list[dict[str, Any]] = field(default_factory=list)
    asked: list[Any] = field(default_factory=list)
    counts: dict[str, float] = field(default_factory=dict)

    @property
    def size(self) -> tuple[int, ...]:
        """How much there is of each."""
        return len(self.answers), len(self.sent), len(self.records), len(self.asked)

    def add(self, later: "Told") -> None:
        """And what can be told since."""
        self.answers |= later.answers
        self.sent = sorted(self.sent + later.sent, key=repr)
        self.records = sorted(self.records + later.records, key=repr)
        self.asked, self.counts = sorted(self.asked + later.asked), later.counts


class ModelledWorker:
    """The worker, its lane and its surroundings. Made in a running loop."""

    def __init__(self, truth: Truth, servers: list[SilentServer], *, plans: bool) -> None:
        self.redis, self._control, self._truth = SilentRedis(), AskedControl(truth), truth
        self.servers = {one.url: one for one in servers}
        settings = proxy_settings(
            plans=plans,
            soft_age=SOFT,
            max_stale=HARD,
            call_seconds=CALL_S,
            proxy_key=truth.proxy_key,
            verify_keys=truth.signer.public_keys,
            unknown_per_second=10**6,
        )
        with (
            patch("proxy.worker.Redis", lambda _: self.redis),
            patch("proxy.worker.ControlClient", lambda *_: self._control),
        ):
            self.worker = Worker(settings)
        self.lane = cast("FastLane", public_listener(self.worker.deps))
        pool = cast("UpstreamPool", self.worker.egress)
        pool._connector.connect = self._connect  # type: ignore[method-assign]  # no socket
        self.untold: list[Change] = []
        """Changes that it has not heard of."""
        self.heard: set[int] = set()
        """Those that it has heard of, by number."""
        self.reached: dict[int, Received] = {}
        """Calls that reached a server, by number."""
        self.waiting: list[tuple[Far, list[bytes]]] = []
        """Answers that servers have not sent yet."""
        self._calls: dict[int, ModelCall] = {}
        self._numbers: dict[int, int] = {}
        """Numbers of calls by the ids with which servers got them."""
        self._open: dict[int, tuple[FastConnection, Written]] = {}
        self._opening: dict[int, str] = {}
        """Who opens a session, by the number of the request."""
        self._sessions: dict[str, str] = {}
        """Identifiers of the callers' sessions, by name."""
        self._jtis: list[str] = []
        self._told = Told()

    async def _connect(self, target: Target, connection: PoolConnection) -> None:
        url = f"{target.origin.removesuffix(':80')}/mcp"
        far = Far(connection, lambda far, head, body: self._got(url, far, head, body))
        connection.connection_made(cast("Any", far))

    def _got(self, url: str, far: Far, head: bytes, body: bytes) -> None:
        got, request_id = received(url, head, body)
        self._told.sent.append(got)
        how, held = "", False
        if got.message["method"] == "notifications/cancelled":
            got.message["params"]["requestId"] = self._numbers[got.message["params"]["requestId"]]
        if got.message["method"] == "tools/call":
            call = self._calls[got.message["params"]["arguments"]["n"]]
            assert call.number not in self.reached, "a call was sent twice"
            self._numbers[request_id] = call.number
            how, held = call.how.removeprefix("late "), call.how.startswith("late ")
        pieces = self.servers[url].answers(got, request_id, how)
        if how and not pieces[0].startswith(b"HTTP/1.1 404"):
            self.reached[call.number] = got
        if held:
            self.waiting.append((far, pieces))
        else:
            far.says(pieces)

    # its callers

    def begin(self, call: ModelCall) -> None:
        """A call arrives, on a connection of its own."""
        self._calls[call.number] = call
        params = {"name": call.tool, "arguments": call.arguments}
        self._ask(call.number, call.caller, call.token, "tools/call", params, call.lines)

    def open_session(self, number: int, caller: ModelCaller) -> None:
        """A legacy caller opens a session."""
        self._opening[number] = caller.name
        self._sessions.pop(caller.name, None)
        params = {"protocolVersion": LEGACY, "capabilities": {}, "clientInfo": {"name": caller.name, "version": "1"}}
        self._ask(number, caller, caller.token, "initialize", params, "")

    def end_session(self, number: int, caller: ModelCaller) -> None:
        """A legacy caller ends its session, and goes on to use it."""
        self._say(number, caller, caller.token, "DELETE", b"", "")

    def cancel(self, number: int, call: ModelCall) -> None:
        """A legacy caller cancels a call."""
        params = {"requestId": call.number}
        self._ask(number, call.caller, call.token, "notifications/cancelled", params, "")

    def leave(self, number: int) -> None:
        """The caller of this call hangs up."""
        if number in self._open:
            self._open.pop(number)[1].lose()

    def _ask(
        self, number: int, caller: ModelCaller, token: str, method: str, params: dict[str, Any], lines: str
    ) -> None:
        if caller.modern:
            message, named = modern_request(method, params, id=number)
            lines = "".join(f"{name}: {value}\r\n" for name, value in named.items()) + lines
        else:
            message = {"jsonrpc": "2.0", "method": method, "params": params}
            message |= {} if method.startswith("notifications/") else {"id": number}
        self._say(number, caller, token, "POST", json.dumps(message).encode(), lines)

    def _say(self, number: int, caller: ModelCaller, token: str, method: str, body: bytes, lines: str) -> None:
        if not caller.modern and caller.name in self._sessions:
            lines += f"MCP-Protocol-Version: {LEGACY}\r\nMcp-Session-Id: {self._sessions[caller.name]}\r\n"
        length = f"Content-Length: {len(body)}\r\n" if body else ""
        head = (
            f"{method} /v1/mcp/g HTTP/1.1\r\nHost: gw.example:8080\r\nAuthorization: Bearer {token}\r\n"
            f"Content-Type: application/json\r\n{lines}{length}\r\n"
        )
        connection = self.lane()
        out = Written(connection, ("192.0.2.1", 1000))
        connection.connection_made(cast("Any", out))
        self._open[number] = connection, out
        connection.data_received(head.encode() + body)

    # what it hears of

    def published(self) -> None:
        """Control leaves the gateways and their index in its Redis, and no copy that a change makes untrue."""
        values, truth = self.redis.values, self._truth
        copies = redis_names.verdict_key(""), redis_names.installation_key("")
        for key in [one for one in values if one.startswith(copies)]:
            del values[key]
        values[redis_names.INDEX] = {"revision": truth.index_revision, "document": truth._index()}
        for gateway in truth.gateways.values():
            document = sign_gateway(gateway, truth.signer)
            revision = str(gateway.revision).encode()
            values[redis_names.snapshot_key(gateway.id)] = {"revision": revision, "document": document}

    async def hear(self) -> None:
        """It reads the changes that were announced, unless Redis is away."""
        while self.untold and not self.redis.away:
            change = self.untold.pop(0)
            await self.worker.forgetting.apply(change)
            self.heard.add(change.number)

    def ended_elsewhere(self, caller: ModelCaller, gateway_id: str, *, is_told: bool) -> None:
        """Another worker ends the caller's session, and this one gets a letter, or none."""
        text, sessions = self._sessions.get(caller.name, ""), self.worker.deps.sessions
        session = sessions._read(text, gateway_id, a_user(caller.user))
        if session is not None:
            self.redis.values[redis_names.tombstone_key(session.jti)] = b"1"
            if is_told:
                deliver(Letter("ended", session.jti), self.worker.deps)

    async def doubt(self) -> None:
        """It finds that it has missed news."""
        self.untold.clear()
        self.worker.forgetting.doubt()
        self.worker.deps.endings.doubt()
        await self.compare()

    async def compare(self) -> None:
        """It compares what it holds with the index."""
        await self.worker.gateways.compare(self._truth.epoch)

    # what became of it

    def told(self) -> Told:
        """What can be told since the last time."""
        told, self._told = self._told, Told()
        told.sent.sort(key=repr)  # what many wait for comes to them at once, and in no order
        for number in list(self._open):
            answer = _whole(self._open[number][1])
            if answer is not None:
                told.answers[number] = self._answered(number, answer)
                self._open.pop(number)[1].lose()
        records = self.worker.deps.records
        told.records = sorted((self._recorded(one) for one in waiting_records(records)), key=repr)
        records._waiting.clear()
        told.asked, self._control.asked = sorted(self._control.asked), []
        self.worker.gauges.tell_counts()
        slots = self.worker.slots
        counts = {name: slots.value(name) for name in slots._place if name.startswith(_COUNTED)}
        told.counts = {name: count for name, count in counts.items() if count}
        return told

    def _answered(self, number: int, answer: Answered) -> Any:
        found = re.search(rb"Mcp-Session-Id: ([^\r]+)", answer.head, re.IGNORECASE)
        if found is not None:
            self._sessions[self._opening[number]] = found[1].decode()
        body = _REQUEST_ID.sub(b"", answer.body)
        return answer.status, _OWN_LINES.sub(b"", answer.head), json.loads(body) if body else None

    def _recorded(self, record: Any) -> dict[str, Any]:
        told = {name: getattr(record, name) for name in record.__struct_fields__ if name not in _OF_ONE_RECORD}
        if record.session and record.session not in self._jtis:
            self._jtis.append(record.session)
        return told | {"session": self._jtis.index(record.session) if record.session else None}

    @property
    def control_is_late(self) -> bool:
        """Whether it has found control away, or slow, and no answer came since."""
        return self._control.pulse.late

    @property
    def by_plan(self) -> int:
        """How many calls were sent by a plan."""
        return self.worker.slots.planned

    @property
    def holds_nothing(self) -> bool:
        """Whether no place, no room and no registration is left of any call."""
        return holds_nothing(self.worker, self.lane)

    async def close(self) -> None:
        """End it."""
        for connection in list(self.lane.parts.connections):
            connection.cut()
        self.worker.deps.records._waiting.clear()
        await self.worker.close()


def _whole(out: Written) -> Answered | None:
    """The answer that was written, if it is whole."""
    head, end, body = out.data.partition(b"\r\n\r\n")
    if not end:
        return None
    length = re.search(rb"content-length: (\d+)", head, re.IGNORECASE)
    assert length is None or len(body) == int(length[1]), out.data
    return Answered(int(head.split(b" ")[1]), head, body)
