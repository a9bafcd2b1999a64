"""The internal listener: authenticated, sealed, bounded. Proxies alone talk to it.

Composed by `control/replica.py`. POST only, MessagePack in, a sealed MessagePack out (`core/internal_call.py`).
Whoever is not a proxy gets 403 with nothing in it, for every path and method alike; a proxy whose clock is off is
told that. Each kind of question has its own places, so that a flood of one (unknown tokens, say) leaves the others
theirs. Postgres away: 503 within a second and a half.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final

import msgspec
from aiohttp import web

from control.internal.questions import Questions
from control.store.pool import StoreConflict, StoreUnavailable
from core.clocks import CURE, REFUSED_FOR_CLOCK
from core.gateway_answers import GatewayQuestion
from core.internal_call import MAX_BODY, SCHEME, SEALED, CallMistimed, CallRefused, InternalCalls
from core.internal_server import NAMELESS
from core.key_sets import KeySetQuestion
from core.resolve import CallerQuestion, CallerQuestions, InstallationQuestion, InstallationQuestions
from core.sealing import SealBroken
from core.sign_in_steps import ToldSteps
from core.tasks import Tasks

log = logging.getLogger(__name__)

ANSWER_WITHIN_S: Final = 1.4
_BODY_WITHIN_S: Final = 2.0
_WAITING: Final = 200
"""Questions of one kind that may wait for a place; one more is told to come again."""
PLACES: Final = {
    "token": 4,
    "tokens": 2,
    "connection": 5,
    "connections": 2,
    "gateway": 2,
    "index": 1,
    "key-set": 2,
    "steps": 1,
}
"""How many of each kind are answered at once; the sum is the size of the pool behind."""

Answer = Callable[[bytes], Awaitable[Any]]


@dataclass(slots=True)
class Kind:
    """One kind of question: how it is read and answered, and its places."""

    answer: Answer
    places: asyncio.Semaphore
    waiting: int = 0


class InternalListener:
    """The one handler of the internal listener: checks that a proxy asks, answers its question, seals the answer."""

    def __init__(self, calls: InternalCalls, questions: Questions, tasks: Tasks) -> None:
        self._calls, self._tasks = calls, tasks
        self._kinds = {
            "/internal/token": _kind("token", CallerQuestion, questions.caller),
            "/internal/tokens": _kind("tokens", CallerQuestions, questions.callers),
            "/internal/connection": _kind("connection", InstallationQuestion, questions.installation),
            "/internal/connections": _kind("connections", InstallationQuestions, questions.installations),
            "/internal/gateway": _kind("gateway", GatewayQuestion, questions.gateway),
            "/internal/key-set": _kind("key-set", KeySetQuestion, questions.key_set),
            "/internal/sign-in-steps": _kind("steps", ToldSteps, questions.steps.take),
            "/internal/index": Kind(lambda _: questions.index(), asyncio.Semaphore(PLACES["index"])),
        }

    def application(self) -> web.Application:
        """To be served on the internal address."""
        app = web.Application(client_max_size=MAX_BODY)
        app.router.add_route("*", "/{path:.*}", self.handle)
        app.on_response_prepare.append(_say_nothing_of_ourselves)
        return app

    async def handle(self, request: web.Request) -> web.Response:
        """One question; see the module's head for what can come back."""
        authorization = request.headers.get("Authorization", "")
        kind = self._kinds.get(request.path)
        if kind is None or request.method != "POST" or not authorization.startswith(SCHEME):
            return web.Response(status=403)
        try:
            async with asyncio.timeout(_BODY_WITHIN_S):
                body = await request.read()
            call_id = self._calls.check(authorization, "POST", request.path, body)
            if request.content_type == SEALED:
                body = self._calls.open_question(request.path, body)
        except CallMistimed as mistimed:
            told = {"path": request.path, "fault": str(mistimed), "cure": CURE}
            log.warning("internal call refused for its time", extra=told)
            return web.Response(status=403, headers=REFUSED_FOR_CLOCK)
        except (CallRefused, SealBroken, TimeoutError, web.HTTPRequestEntityTooLarge) as refused:
            log.warning("internal call refused", extra={"path": request.path, "fault": str(refused)})
            return web.Response(status=403)
        status, answer = await self._answered(kind, body, request.path)
        if status != 200:
            return web.Response(status=status)
        sealed = self._calls.seal_answer(call_id, msgspec.msgpack.encode(answer))
        return web.Response(body=sealed, content_type="application/octet-stream")

    async def _answered(self, kind: Kind, body: bytes, path: str) -> tuple[int, Any]:
        # A task of its own: a connection that a frozen Postgres holds takes longer to give up than the caller waits.
        work = self._tasks.spawn("question", _within_places(kind, body))
        try:
            done, _ = await asyncio.wait({work}, timeout=ANSWER_WITHIN_S)
        finally:
            work.cancel()
        if not done:
            log.warning("internal question not answered in time", extra={"path": path})
            return 503, None
        return work.result()


async def _within_places(kind: Kind, body: bytes) -> tuple[int, Any]:
    if kind.waiting >= _WAITING:
        return 503, None
    kind.waiting += 1
    try:
        await kind.places.acquire()
    finally:
        kind.waiting -= 1
    try:
        return 200, await kind.answer(body)
    except msgspec.MsgspecError:
        return 400, None
    except (StoreUnavailable, StoreConflict):
        return 503, None
    except Exception:
        log.exception("internal question failed")
        return 500, None
    finally:
        kind.places.release()


def _kind(name: str, question: type[Any], answer: Callable[[Any], Awaitable[Any]]) -> Kind:
    decoder = msgspec.msgpack.Decoder(question)

    def decoded(body: bytes) -> Awaitable[Any]:
        return answer(decoder.decode(body))

    return Kind(decoded, asyncio.Semaphore(PLACES[name]))


async def _say_nothing_of_ourselves(_: web.Request, response: web.StreamResponse) -> None:
    response.headers.update(NAMELESS)
