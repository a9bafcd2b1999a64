"""The users of a load test: MCP clients of both eras, with time to think, who check every answer.

A legacy user opens a session, holds its event stream, lists, calls, pings, and now and then ends the session and
opens another. A modern user discovers, lists and calls; some of its calls ask for progress and come as an event
stream.
"""

import itertools
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, ClassVar

import gevent
import orjson
from locust import task
from locust.contrib.fasthttp import FastHttpUser, ResponseContextManager
from locust.exception import RescheduleTask

from bench.orders import ENVELOPE, LEGACY, MODERN

_BOTH = "application/json, text/event-stream"
_SIZES = (100, 100, 100, 1_000, 10_000)
"""Bytes of answers: most are small."""


@dataclass
class Callers:
    """What was made for this run: a gateway, its tool, and tokens that users take in turn."""

    path: str = ""
    tool: str = ""
    tokens: list[str] = field(default_factory=list)
    next: Iterator[int] = field(default_factory=itertools.count)

    def take(self) -> str:
        """A token; several users may have the same where there are fewer."""
        if not self.tokens:
            raise RuntimeError("no callers were made: start this with bench/locustfile.py")
        return self.tokens[next(self.next) % len(self.tokens)]


class McpUser(FastHttpUser):
    """A simulated MCP user: what those of both eras have in common."""

    abstract = True
    insecure = False  # certificates are checked; locust by itself would not
    network_timeout = 70.0
    concurrency = 4
    callers: ClassVar[Callers] = Callers()
    think_s: ClassVar[float] = 2.0

    def on_start(self) -> None:
        """The user comes."""
        self._token = self.callers.take()
        self._count = 0
        self._session = ""

    def wait_time(self) -> float:
        """Between half and one and a half of the mean."""
        return self.think_s * random.uniform(0.5, 1.5)

    def ask(self, method: str, params: dict[str, Any], name: str) -> tuple[dict[str, Any], str]:
        """One request, its answer judged; its result and the session's identifier. RescheduleTask after a failure."""
        self._count += 1
        message = {"jsonrpc": "2.0", "id": self._count, "method": method, "params": self.dressed(params)}
        headers = self.headers(method, params) | {"Content-Type": "application/json", "Accept": _BOTH}
        with self.client.post(
            self.callers.path, name=name, data=orjson.dumps(message).decode(), headers=headers, catch_response=True
        ) as response:
            result, why = _judged(response, self._count)
            why = why or self.wrong(method, params, result)
            if why:
                response.failure(why)
            else:
                response.success()
            session = str(response.headers.get("Mcp-Session-Id") or "") if response.headers else ""
        if why:
            raise RescheduleTask(why)
        return result, session

    def wrong(self, method: str, params: dict[str, Any], result: dict[str, Any]) -> str:
        """What is wrong with a result; empty: nothing."""
        if method == "tools/list":
            names = [tool["name"] for tool in result.get("tools", [])]
            return "" if self.callers.tool in names else f"the list lacks the tool: {names}"
        if method != "tools/call":
            return ""
        text = result["content"][0]["text"] if result.get("content") else ""
        if result.get("isError"):
            return f"refused: {text[:120]}"
        wanted = params["arguments"]
        same = text.startswith(wanted["text"]) and len(text) == len(wanted["text"]) + wanted["size"]
        return "" if same else f"the answer of another call: {text[:60]!r}"

    def call(self, *, stream: bool = False) -> None:
        """Call the tool with arguments that no other call has."""
        marker = f"{id(self):x}-{self._count}-{random.getrandbits(32):08x}"
        arguments = {"text": marker, "size": random.choice(_SIZES), "stream": stream}
        params: dict[str, Any] = {"name": self.callers.tool, "arguments": arguments}
        if stream:
            params["_meta"] = {"progressToken": marker}
        self.ask("tools/call", params, f"{self.era}: tools/call{' (stream)' if stream else ''}")

    era: ClassVar[str] = ""

    def dressed(self, params: dict[str, Any]) -> dict[str, Any]:
        """The params as this era sends them."""
        return params

    def headers(self, method: str, params: dict[str, Any]) -> dict[str, str]:
        """The headers of a request."""
        return {"Authorization": f"Bearer {self._token}"}


class ModernUser(McpUser):
    """MCP 2026-07-28: every request stands alone."""

    weight = 1
    era = "modern"

    def on_start(self) -> None:
        super().on_start()
        self.ask("server/discover", {}, "modern: server/discover")
        self.list_tools()

    def dressed(self, params: dict[str, Any]) -> dict[str, Any]:
        return params | {"_meta": ENVELOPE | params.get("_meta", {})}

    def headers(self, method: str, params: dict[str, Any]) -> dict[str, str]:
        own = {"MCP-Protocol-Version": MODERN, "Mcp-Method": method}
        if "name" in params:
            own["Mcp-Name"] = params["name"]
        return super().headers(method, params) | own

    @task(20)
    def call_tool(self) -> None:
        """The usual thing to do."""
        self.call()

    @task(3)
    def call_with_progress(self) -> None:
        """A call that may come as an event stream."""
        self.call(stream=True)

    @task(2)
    def list_tools(self) -> None:
        """What is there?"""
        self.ask("tools/list", {}, "modern: tools/list")


class LegacyUser(McpUser):
    """MCP 2025-11-25: a session, and its event stream held open."""

    weight = 1
    era = "legacy"

    def on_start(self) -> None:
        super().on_start()
        self._listening: gevent.Greenlet | None = None
        self._open_session()

    def on_stop(self) -> None:
        """The user goes, and says so."""
        self._close_session()

    def headers(self, method: str, params: dict[str, Any]) -> dict[str, str]:
        own = super().headers(method, params)
        return own | ({"Mcp-Session-Id": self._session, "MCP-Protocol-Version": LEGACY} if self._session else {})

    @task(20)
    def call_tool(self) -> None:
        """The usual thing to do."""
        self.call()

    @task(2)
    def list_tools(self) -> None:
        """What is there?"""
        self.ask("tools/list", {}, "legacy: tools/list")

    @task(1)
    def ping(self) -> None:
        """Is somebody there?"""
        self.ask("ping", {}, "legacy: ping")

    @task(1)
    def open_again(self) -> None:
        """Close the client and open it again."""
        self._close_session()
        self._open_session()

    def _open_session(self) -> None:
        client = {"protocolVersion": LEGACY, "capabilities": {}, "clientInfo": {"name": "load", "version": "1"}}
        _, self._session = self.ask("initialize", client, "legacy: initialize")
        note = orjson.dumps({"jsonrpc": "2.0", "method": "notifications/initialized"}).decode()
        headers = self.headers("", {}) | {"Content-Type": "application/json", "Accept": _BOTH}
        self.client.post(self.callers.path, name="legacy: notifications", data=note, headers=headers)
        self._listening = gevent.spawn(self._listen)

    def _close_session(self) -> None:
        if self._listening is not None:
            self._listening.kill()  # first: a stream of a session that has ended would be refused
            self._listening = None
        if self._session:
            self.client.delete(self.callers.path, name="legacy: DELETE", headers=self.headers("", {}))
            self._session = ""

    def _listen(self) -> None:
        """Hold the session's stream and read what comes: comments, until somebody leaves."""
        headers = self.headers("", {}) | {"Accept": "text/event-stream"}
        with self.client.get(
            self.callers.path, name="legacy: GET stream opens", headers=headers, stream=True, catch_response=True
        ) as response:
            streaming = (response.headers or {}).get("content-type", "").startswith("text/event-stream")
            if response.status_code != 200 or not streaming:
                response.failure(f"no stream: {response.status_code}")
                return
            response.success()
        for _ in response.iter_content(4096):
            pass


def _judged(response: ResponseContextManager, wanted_id: int) -> tuple[dict[str, Any], str]:
    """The result, and what is wrong with the answer as such."""
    if response.status_code != 200:
        return {}, f"HTTP {response.status_code}: {response.text or '':.160}"
    try:
        message = orjson.loads(_message_in(response.content or b""))
    except (ValueError, IndexError):
        return {}, "the body is no JSON-RPC message"
    if message.get("id") != wanted_id:
        return {}, f"the answer is to {message.get('id')!r}, not to {wanted_id}"
    if "error" in message:
        return {}, f"error {message['error'].get('code')}: {message['error'].get('message')}"
    return message.get("result", {}), ""


def _message_in(content: bytes) -> bytes:
    """The JSON, or the last event's."""
    if content.startswith(b"{"):
        return content
    lines = [line[5:].strip() for line in content.splitlines() if line.startswith(b"data:")]
    return lines[-1]
