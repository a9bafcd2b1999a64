"""A fake of the Kubernetes API on loopback, for tests of what talks to a cluster; no cluster, no image, no pod runs.

async with FakeKube() as kube:
    kube.url                                    # http://127.0.0.1:PORT; any token will do
    kube.rollouts.outcome = lambda deployment: IMAGE_ABSENT
    kube.faults.add(429, retry_after=1, method="PATCH")
    kube.objects.forget_history()               # watches from before are told 410
    kube.cut_watches(); await kube.go_away(); await kube.come_back()
    kube.things("deployments", "servers")       # what is there; kube.requests: what was asked

What it does as a real one is held by the contract tests beside it, which run against a real API server too. What it
does not: permissions, admission by policies, schemas of custom resources; those are proved on a cluster alone.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from typing import Any, Self

import orjson
from aiohttp import web

from tests.kube.answering import Answers, Asked, Target
from tests.kube.faults import REASONS, Fault, Faults
from tests.kube.kept_objects import KeptObjects, Thing
from tests.kube.kinds import BUILT_IN, Kinds
from tests.kube.pod_logs import PodLogs
from tests.kube.refusals import ApiRefusal, status_object
from tests.kube.rollouts import Rollouts

BOOKMARK_SECONDS = 60.0
SILENCE_SECONDS = 3600.0


class FakeKube:
    """A server with objects of its own; see the head of this file."""

    def __init__(self, namespaces: tuple[str, ...] = ("default", "servers")) -> None:
        self.objects, self.kinds, self.faults = KeptObjects(), Kinds(), Faults()
        self.rollouts, self.logs = Rollouts(self.objects), PodLogs(self.objects)
        self.requests: list[Asked] = []
        self.watching = 0
        """How many watches are open."""
        self._answers = Answers(self.objects, self.kinds)
        self._namespaces = namespaces
        self._server = web.Server(self._handle, access_log=None)  # type: ignore[arg-type]
        self._listening: asyncio.Server | None = None
        self._port = 0
        self._cuts = 0

    @property
    def url(self) -> str:
        """Where it listens, and after `come_back` again."""
        return f"http://127.0.0.1:{self._port}"

    def kubeconfig(self) -> dict[str, Any]:
        """What clients are configured with."""
        return {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "fake",
            "contexts": [{"name": "fake", "context": {"cluster": "fake", "user": "fake"}}],
            "clusters": [{"name": "fake", "cluster": {"server": self.url}}],
            "users": [{"name": "fake", "user": {"token": "fake"}}],
        }

    async def __aenter__(self) -> Self:
        await self.come_back()
        for name in self._namespaces:
            self.objects.write((BUILT_IN[0], "", name), {}, {})
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.go_away()
        await self._server.shutdown(1)

    async def go_away(self) -> None:
        """Nobody listens any more, and no connection is left; the objects stay."""
        if self._listening is not None:
            self._listening.close()
        self._cut(self._server.connections)

    async def come_back(self) -> None:
        """Listen, on the same port as before."""
        loop = asyncio.get_running_loop()
        self._listening = await loop.create_server(self._server, "127.0.0.1", self._port)
        self._port = self._listening.sockets[0].getsockname()[1]

    def cut_watches(self) -> None:
        """End every open watch in the middle, as a load balancer does."""
        self._cut([])

    def _cut(self, connections: list[Any]) -> None:
        self._cuts += 1
        self.objects.tell()
        for one in connections:
            if one.transport is not None:
                one.transport.abort()

    def things(self, plural: str, namespace: str = "") -> list[Thing]:
        """The objects of a kind, by name."""
        kind = self.kinds.named(plural)
        return self.objects.matching(kind, namespace, lambda thing: True)

    def thing(self, plural: str, namespace: str, name: str) -> Thing | None:
        """One object of a kind."""
        return next((one for one in self.things(plural, namespace) if one["metadata"]["name"] == name), None)

    def remove(self, plural: str, namespace: str, name: str) -> None:
        """Take one away, as somebody with kubectl does."""
        kind = self.kinds.named(plural)
        self.objects.remove((kind, namespace, name))

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        body = await request.read()
        agent = request.headers.get("User-Agent", "")
        asked = Asked(request.method, request.path, dict(request.query), request.content_type, body, agent)
        self.requests.append(asked)
        try:
            fault = self.faults.of(asked.method, asked.path)
            if fault is not None:
                return await self._fail(fault, asked, request)
            return await self._answer(asked, request)
        except ApiRefusal as refusal:
            headers = {} if refusal.retry_after is None else {"Retry-After": str(refusal.retry_after)}
            return _json(refusal.status, status_object(refusal), headers)

    async def _fail(self, fault: Fault, asked: Asked, request: web.BaseRequest) -> web.StreamResponse:
        if isinstance(fault.what, int):
            reason = REASONS.get(fault.what, "Unknown")
            raise ApiRefusal(fault.what, reason, fault.message, fault.retry_after)
        if fault.what == "silent":
            await asyncio.sleep(SILENCE_SECONDS)
        if fault.what == "lost":
            with contextlib.suppress(ApiRefusal):
                self._answers.answer(asked, self._answers.target(asked.path))
        if request.transport is not None:
            request.transport.abort()
        return web.Response()

    async def _answer(self, asked: Asked, request: web.BaseRequest) -> web.StreamResponse:
        document = self._answers.discovery(asked.path)
        if document is not None:
            return _json(200, document)
        target = self._answers.target(asked.path)
        if target.part == "log":
            return await self.logs.send(asked, target, request)
        if asked.watches and not target.name:
            return await self._watch(asked, target, request)
        return _json(*self._answers.answer(asked, target))

    async def _watch(self, asked: Asked, target: Target, request: web.BaseRequest) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "application/json"})
        await response.prepare(request)
        self.watching += 1
        try:
            await self._send_events(asked, target, response)
        except ConnectionError:
            if request.transport is not None:
                request.transport.abort()
        finally:
            self.watching -= 1
        return response

    async def _send_events(self, asked: Asked, target: Target, response: web.StreamResponse) -> None:
        objects, cuts, test = self.objects, self._cuts, self._answers.selected(asked, target)
        loop = asyncio.get_running_loop()
        end = loop.time() + float(asked.query.get("timeoutSeconds") or 1800)
        position = int(asked.query.get("resourceVersion") or 0)
        if not position:
            position = objects.version
            for thing in objects.matching(target.kind, target.namespace, test):
                await response.write(_line("ADDED", thing))
        bookmarks = asked.query.get("allowWatchBookmarks", "").lower() in {"true", "1"}
        while (left := end - loop.time()) > 0:
            news = objects.news
            if position < objects.oldest:
                await response.write(_line("ERROR", status_object(_too_old(position, objects.oldest))))
                return
            for version, event, key, thing, before in list(objects.since(position)):
                position = version
                if key[0] == target.kind and target.namespace in {"", key[1]}:
                    as_selected = _as_selected(event, thing, before, test)
                    if as_selected:
                        await response.write(_line(as_selected, thing))
            if self._cuts != cuts:
                raise ConnectionResetError("cut by the test")
            try:
                await asyncio.wait_for(news.wait(), min(left, BOOKMARK_SECONDS))
            except TimeoutError:
                if bookmarks:
                    mark = {"kind": target.kind.name, "apiVersion": target.kind.api_version}
                    await response.write(_line("BOOKMARK", mark | {"metadata": {"resourceVersion": str(position)}}))


def _too_old(position: int, oldest: int) -> ApiRefusal:
    return ApiRefusal(410, "Expired", f"too old resource version: {position} ({oldest})")


def _as_selected(event: str, thing: Thing, before: Thing | None, test: Callable[[Thing], bool]) -> str:
    """The event as a watch with a selector sees it: what no longer passes is DELETED, what passes now is ADDED."""
    passes, passed = test(thing), before is not None and test(before)
    if event == "DELETED":
        return event if passed else ""
    if passes:
        return "MODIFIED" if passed else "ADDED"
    return "DELETED" if passed else ""


def _line(event: str, thing: Thing) -> bytes:
    return orjson.dumps({"type": event, "object": thing}) + b"\n"


def _json(status: int, thing: Thing, headers: dict[str, str] | None = None) -> web.Response:
    return web.Response(status=status, body=orjson.dumps(thing), content_type="application/json", headers=headers)
