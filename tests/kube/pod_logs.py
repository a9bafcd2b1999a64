"""The logs of pods of a fake API server: lines that a test writes, of the run that is on and of the one before."""

from __future__ import annotations

import asyncio
from collections import defaultdict

from aiohttp import web

from tests.kube.answering import Asked, Target
from tests.kube.kept_objects import KeptObjects
from tests.kube.kinds import BUILT_IN
from tests.kube.refusals import ApiRefusal

PODS = next(one for one in BUILT_IN if one.plural == "pods")
LOOK_EVERY_SECONDS = 0.02


class PodLogs:
    """Lines by namespace and pod."""

    def __init__(self, objects: KeptObjects) -> None:
        self._objects = objects
        self._lines: dict[tuple[str, str], list[str]] = defaultdict(list)
        self._before: dict[tuple[str, str], list[str]] = defaultdict(list)

    def say(self, namespace: str, pod: str, *lines: str) -> None:
        """The pod writes these."""
        self._lines[namespace, pod].extend(lines)

    def restart(self, namespace: str, pod: str) -> None:
        """The container ends; another one begins with an empty log."""
        self._before[namespace, pod] = self._lines.pop((namespace, pod), [])

    async def send(self, asked: Asked, target: Target, request: web.BaseRequest) -> web.StreamResponse:
        """The answer at `.../pods/NAME/log`; raises ApiRefusal."""
        pod = self._objects.all.get(target.key)
        if pod is None:
            raise ApiRefusal(404, "NotFound", f'pods "{target.name}" not found')
        where, asks = (target.namespace, target.name), asked.query
        previous = asks.get("previous", "").lower() == "true"
        if previous and where not in self._before:
            said = f'previous terminated container "server" in pod "{target.name}" not found'
            raise ApiRefusal(400, "BadRequest", said)
        for container in pod.get("status", {}).get("containerStatuses", ()):
            waiting = container["state"].get("waiting")
            if waiting and not previous and not container["restartCount"]:
                said = f'container "server" in pod "{target.name}" is waiting to start: {waiting["reason"]}'
                raise ApiRefusal(400, "BadRequest", said)
        lines = self._before[where] if previous else self._lines[where]
        tail = asks.get("tailLines")
        sent = max(len(lines) - int(tail), 0) if tail is not None else 0
        response = web.StreamResponse(headers={"Content-Type": "text/plain"})
        await response.prepare(request)
        follows = asks.get("follow", "").lower() == "true" and not previous
        while True:
            for line in lines[sent:]:
                await response.write(line.encode() + b"\n")
            sent = len(lines)
            gone = target.key not in self._objects.all or self._lines[where] is not lines
            if not follows or gone or request.transport is None:
                return response
            await asyncio.sleep(LOOK_EVERY_SECONDS)
