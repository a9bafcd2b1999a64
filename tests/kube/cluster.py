"""A Kubernetes API as the contract tests speak to it: the fake, or a real one that a kubeconfig names.

A test has a namespace of its own, which goes away after it. Nothing here is possible with only one of the two, but
`grow_old`, which a real server does by itself.
"""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kubernetes_asyncio import client, config

from tests.kube.answering import APPLY
from tests.kube.fake_server import FakeKube

Thing = dict[str, Any]
MERGE, STRATEGIC = "application/merge-patch+json", "application/strategic-merge-patch+json"
JSON_PATCH = "application/json-patch+json"
GROUPS = {"deployments": "apis/apps/v1", "replicasets": "apis/apps/v1"}
GROUPS |= {"networkpolicies": "apis/networking.k8s.io/v1", "leases": "apis/coordination.k8s.io/v1"}
ANSWER_SECONDS = 30.0
ASK_AGAIN_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class Answer:
    """What the API said."""

    status: int
    thing: Thing

    @property
    def message(self) -> str:
        """Of a refusal."""
        return str(self.thing.get("message", ""))


class Cluster:
    """One API, seen from one namespace."""

    def __init__(self, api: client.ApiClient, namespace: str, grow_old: Callable[[], None]) -> None:
        self._api, self.namespace, self.grow_old = api, namespace, grow_old

    async def ask(
        self, method: str, path: str, body: Any = None, content_type: str = "application/json", **query: Any
    ) -> Answer:
        """Ask for a path; `query` with the names of the API."""
        response = await self._send(method, path, body, content_type, query)
        text = await response.text()
        try:
            return Answer(response.status, json.loads(text))
        except ValueError:
            return Answer(response.status, {"message": text})

    async def _send(self, method: str, path: str, body: Any, content_type: str, query: dict[str, Any]) -> Any:
        headers = {"Content-Type": content_type, "Accept": "application/json"}
        try:
            return await self._api.call_api(
                path,
                method,
                query_params=list(query.items()),
                header_params=headers,
                body=body,
                auth_settings=["BearerToken"],
                _preload_content=False,
                _request_timeout=ANSWER_SECONDS,
                response_types_map={},
            )
        except client.ApiException as refusal:
            return _Refused(refusal)

    def path(self, plural: str, name: str = "", part: str = "") -> str:
        """The address of a kind in this namespace, or of an object, or of a part of it."""
        steps = [GROUPS.get(plural, "api/v1"), "namespaces", self.namespace, plural, name, part]
        return "/" + "/".join(step for step in steps if step)

    async def apply(self, plural: str, thing: Thing, *, manager: str = "archway", force: bool = False) -> Answer:
        """Server-side apply."""
        query = {"fieldManager": manager} | ({"force": "true"} if force else {})
        return await self.ask("PATCH", self.path(plural, thing["metadata"]["name"]), thing, APPLY, **query)

    async def patch(self, plural: str, name: str, patch: Any, content_type: str, manager: str = "somebody") -> Answer:
        """Another kind of patch."""
        return await self.ask("PATCH", self.path(plural, name), patch, content_type, fieldManager=manager)

    async def create(self, plural: str, thing: Thing) -> Answer:
        """Create one."""
        return await self.ask("POST", self.path(plural), thing, fieldManager="somebody")

    async def get(self, plural: str, name: str) -> Answer:
        """Read one."""
        return await self.ask("GET", self.path(plural, name))

    async def list(self, plural: str, **query: Any) -> Thing:
        """All of a kind in this namespace."""
        return (await self.ask("GET", self.path(plural), **query)).thing

    async def until(self, ask: Callable[[], Awaitable[Answer]], wanted: Callable[[Answer], bool]) -> Answer:
        """Ask again and again until the answer is as wanted; the caller sets the deadline."""
        answer = await ask()
        while not wanted(answer):
            await asyncio.sleep(ASK_AGAIN_SECONDS)  # the server has no event for it
            answer = await ask()
        return answer

    async def events(self, plural: str, **query: Any) -> AsyncIterator[Thing]:
        """A watch, until it ends."""
        response = await self._send("GET", self.path(plural), None, "application/json", {"watch": "true", **query})
        if response.status != 200:
            yield {"type": "ERROR", "object": json.loads(await response.text())}
            return
        try:
            async for line in response.content:
                yield json.loads(line)
        finally:
            response.close()


class _Refused:
    """A refusal in the form of an answer."""

    def __init__(self, refusal: client.ApiException) -> None:
        self.status, self._body = refusal.status, refusal.body

    async def text(self) -> str:
        return self._body.decode() if isinstance(self._body, bytes) else self._body


@asynccontextmanager
async def fake_cluster() -> AsyncIterator[Cluster]:
    """A cluster that is the fake."""
    async with FakeKube() as kube, client.ApiClient(client.Configuration(host=kube.url)) as api:
        yield Cluster(api, "servers", kube.objects.forget_history)


@asynccontextmanager
async def real_cluster(kubeconfig: Path) -> AsyncIterator[Cluster]:
    """A cluster that is there, in a namespace that goes away again."""
    settings = client.Configuration()
    await config.load_kube_config(config_file=str(kubeconfig), client_configuration=settings)
    namespace = f"archway-test-{uuid.uuid4().hex[:8]}"
    async with client.ApiClient(settings) as api:
        cluster = Cluster(api, namespace, lambda: None)
        made = await cluster.ask("POST", "/api/v1/namespaces", {"metadata": {"name": namespace}})
        assert made.status == 201, made.message
        try:
            yield cluster
        finally:
            await cluster.ask("DELETE", f"/api/v1/namespaces/{namespace}")
