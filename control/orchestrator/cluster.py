"""The one file that talks to Kubernetes: kubernetes-asyncio, JSON as it is, a deadline for each call.

Used by the reflectors, the lease and the runtime beside it; imported only where servers run in a cluster, since the
client's models alone take 70 MB. What goes wrong leaves here as one of two exceptions: RuntimeAway, when the same
call may succeed later, or ClusterSaid, when the API understood and said no.

API conventions: https://kubernetes.io/docs/reference/using-api/api-concepts/
"""

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from typing import Any, Final

import aiohttp
import orjson
from kubernetes_asyncio.client.api_client import ApiClient
from kubernetes_asyncio.client.configuration import Configuration
from kubernetes_asyncio.config.config_exception import ConfigException
from kubernetes_asyncio.config.incluster_config import load_incluster_config
from kubernetes_asyncio.config.kube_config import load_kube_config

from control.orchestrator.identity import MANAGER
from control.orchestrator.kinds import Kind, Object
from control.orchestrator.pace import Pace
from control.registry.server_state import LONGEST_MESSAGE
from control.servers.runtime import RuntimeAway
from core.settings import BadSetting

CALL_WITHIN_S: Final = 10.0
PAGE: Final = 500
"""Objects of one answer to a list."""
MOST_BYTES: Final = 64 << 20
"""Of one answer: a page of objects of 100 KiB each."""
CALLS_PER_SECOND: Final = 200
"""A thousand servers, of four objects each, are made in 20 s."""
CONNECTIONS: Final = 58
"""Beside those of watches; each followed log is one."""
_LONGEST_RETRY_AFTER_S: Final = 60.0


class ClusterSaid(Exception):
    """The API understood and said no: its status, its word for the reason, and its sentence."""

    def __init__(self, status: int, reason: str, message: str) -> None:
        super().__init__(f"{status} {reason}: {message}")
        self.status, self.reason, self.message = status, reason, message


class Cluster:
    """A connection to one cluster's API, made by `connected`."""

    def __init__(self, client: ApiClient, pace: Pace) -> None:
        self._client, self._pace = client, pace

    async def list(
        self, kind: Kind, namespace: str, labels: str = "", *, fields: str = ""
    ) -> tuple[list[Object], str]:
        """All objects that have these labels and fields, page by page, and the version of the whole for `watch`."""
        found: list[Object] = []
        query = {"labelSelector": labels, "fieldSelector": fields, "limit": str(PAGE)}
        while True:
            answer = await self._call("GET", kind.path(namespace), query)
            found += answer.get("items") or []
            further = answer["metadata"].get("continue")
            if not further:
                return found, answer["metadata"]["resourceVersion"]
            query["continue"] = further

    async def watch(
        self, kind: Kind, namespace: str, labels: str, version: str, seconds: int
    ) -> AsyncIterator[tuple[str, Object]]:
        """What changes after `version`, for so many seconds: ADDED, MODIFIED, DELETED and BOOKMARK with the object.

        Raises ClusterSaid with 410 when that version is too old: then everything is to be listed again.
        """
        query = {
            "watch": "true", "allowWatchBookmarks": "true", "timeoutSeconds": str(seconds),
            "labelSelector": labels, "resourceVersion": version,
        }  # fmt: skip
        async with self._answer("GET", kind.path(namespace), query, reading=seconds + CALL_WITHIN_S) as answer:
            with _translated():
                async for line in answer.content:
                    event = orjson.loads(line)
                    if event["type"] == "ERROR":
                        raise _said(event["object"].get("code", 500), event["object"])
                    yield event["type"], event["object"]

    async def discover(self, api_version: str) -> frozenset[str]:
        """Plural names of what the API serves of this version, which every account may ask; none where it serves no
        such version.
        """
        try:
            answer = await self._call("GET", f"/apis/{api_version}")
        except ClusterSaid as said:
            if said.status == 404:
                return frozenset()
            raise
        return frozenset(one["name"] for one in answer.get("resources") or ())

    async def get(self, kind: Kind, namespace: str, name: str) -> Object:
        """One object."""
        return await self._call("GET", kind.path(namespace, name))

    async def create(self, kind: Kind, namespace: str, made: Object, *, dry: bool = False) -> Object:
        """Make it; 409 when one of its name is there. `dry`: only have it judged, unknown fields too."""
        query = {"fieldManager": MANAGER} | ({"dryRun": "All", "fieldValidation": "Strict"} if dry else {})
        return await self._call("POST", kind.path(namespace), query, made)

    async def replace(self, kind: Kind, namespace: str, made: Object) -> Object:
        """Put it in the place of the one whose `resourceVersion` it has; 409 when that is another by now."""
        path = kind.path(namespace, made["metadata"]["name"])
        return await self._call("PUT", path, {"fieldManager": MANAGER}, made)

    async def apply(self, kind: Kind, namespace: str, wanted: Object) -> Object:
        """Have the fields of `wanted` be so, by server-side apply: made where it is not there, and what we applied
        earlier and no longer want is taken away. Answers the whole object.
        """
        path = kind.path(namespace, wanted["metadata"]["name"])
        query = {"fieldManager": MANAGER, "force": "true"}
        return await self._call("PATCH", path, query, wanted, content_type="application/apply-patch+yaml")

    async def delete(self, kind: Kind, namespace: str, name: str) -> None:
        """Delete it, and what it owns; one that is not there is deleted."""
        try:
            await self._call("DELETE", kind.path(namespace, name), {"propagationPolicy": "Background"})
        except ClusterSaid as said:
            if said.status != 404:
                raise

    async def log(self, kind: Kind, namespace: str, pod: str, query: Mapping[str, str]) -> AsyncIterator[bytes]:
        """The lines of a pod's log. With `follow` as long as there may be more, else within the usual deadline."""
        reading = None if query.get("follow") == "true" else CALL_WITHIN_S
        async with self._answer("GET", kind.path(namespace, pod, "log"), query, reading=reading) as answer:
            with _translated():
                async for line in answer.content:
                    yield line

    async def close(self) -> None:
        """End its connections."""
        await self._client.close()

    async def _call(
        self, method: str, path: str, query: Mapping[str, str] | None = None, body: Object | None = None,
        content_type: str = "application/json",
    ) -> Object:  # fmt: skip
        async with self._answer(method, path, query or {}, body, content_type, reading=CALL_WITHIN_S) as answer:
            with _translated():
                text = await _whole(answer)
        try:
            read: Object = orjson.loads(text)
        except ValueError:
            raise RuntimeAway(f"the cluster's API answered {method} {path} with what is no JSON") from None
        return read

    @asynccontextmanager
    async def _answer(
        self, method: str, path: str, query: Mapping[str, str], body: Object | None = None,
        content_type: str = "application/json", *, reading: float | None,
    ) -> AsyncIterator[aiohttp.ClientResponse]:  # fmt: skip
        """An answer that says yes, whose body is still to be read; `reading` is how long a silence may last."""
        await self._pace.wait(CALL_WITHIN_S)
        timeout = aiohttp.ClientTimeout(connect=CALL_WITHIN_S, sock_read=reading)
        with _translated():
            # A log that is followed and empty has no answer yet, not even its head.
            async with asyncio.timeout(None if reading is None else CALL_WITHIN_S):
                answer: aiohttp.ClientResponse = await self._client.call_api(
                    path, method, query_params=dict(query), body=body, auth_settings=["BearerToken"],
                    header_params={"Accept": "application/json", "Content-Type": content_type},
                    _preload_content=False, _request_timeout=timeout,
                )  # fmt: skip
        try:
            if answer.status >= 300:
                raise await self._refused(answer)
            yield answer
        finally:
            if answer.content.at_eof():
                answer.release()
            else:
                answer.close()

    async def _refused(self, answer: aiohttp.ClientResponse) -> Exception:
        with _translated():
            async with asyncio.timeout(CALL_WITHIN_S):
                text = await _whole(answer)
        if answer.status in {429, 503}:
            self._pace.be_quiet(_retry_after(answer.headers.get("Retry-After", "")))
        try:
            status = orjson.loads(text)
        except ValueError:
            status = {"message": text[:LONGEST_MESSAGE].decode("utf-8", "replace")}
        return _said(answer.status, status if isinstance(status, dict) else {})


async def connected(kubeconfig: str, *, watches: int = 6) -> Cluster:
    """A connection as this file says, or as the pod that we are in, for so many watches at once; raises BadSetting.
    Nothing is asked yet.
    """
    settings = Configuration()
    try:
        if kubeconfig:
            await load_kube_config(config_file=kubeconfig, client_configuration=settings, persist_config=False)
        else:
            load_incluster_config(client_configuration=settings)  # type: ignore[no-untyped-call]
    except (ConfigException, OSError, ValueError) as error:
        cure = "check the file" if kubeconfig else "set it where control runs outside of the cluster"
        raise BadSetting(f"ARCHWAY_KUBECONFIG: {error}; {cure}") from None
    settings.connection_pool_maxsize = CONNECTIONS + watches
    client = ApiClient(settings)
    client.user_agent = "archway-control"
    return Cluster(client, Pace(CALLS_PER_SECOND))


@contextmanager
def _translated() -> Iterator[None]:
    """Whatever the client raises when it gets no answer is RuntimeAway."""
    try:
        yield
    except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as fault:
        raise RuntimeAway(f"the cluster's API is away ({type(fault).__name__})") from fault


def _said(status: int, found: Mapping[str, Any]) -> Exception:
    message = str(found.get("message", ""))[:LONGEST_MESSAGE]
    if status in {401, 408, 429} or status >= 500:
        return RuntimeAway(f"the cluster's API answers {status}: {message}")
    return ClusterSaid(status, str(found.get("reason", "")), message)


def _retry_after(text: str) -> float:
    """Seconds; the API sends no dates."""
    return min(float(text), _LONGEST_RETRY_AFTER_S) if text.isdigit() else 0.0


async def _whole(answer: aiohttp.ClientResponse) -> bytes:
    text = bytearray()
    async for piece in answer.content.iter_any():
        text += piece
        if len(text) > MOST_BYTES:
            raise ValueError("too long an answer")
    return bytes(text)
