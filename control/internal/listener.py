"""The internal listener: authenticated, sealed, bounded. Proxies alone talk to it.

Composed by `control/replica.py`. POST only, MessagePack in, a sealed MessagePack out (`core/internal_call.py`).
Whoever is not a proxy gets 403 with nothing in it, for every path and method alike; a proxy whose clock is off is
told that. Each kind of question has its own places, so that a flood of one (unknown tokens, say) leaves the others
theirs. One that waits for a provider gives its place back before. Postgres away: 503 within a second and a half.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from typing import Any, Final

import msgspec
from aiohttp import web

from control.internal.questions import Later, Questions
from control.internal.watches import Watches
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
from core.watches import HeardLists, WatchQuestion

log = logging.getLogger(__name__)

ANSWER_WITHIN_S: Final = 1.4
ALL_WITHIN_S: Final = 2.7
"""For an answer that waits for a provider besides: a proxy waits for three seconds."""
_BESIDES_S: Final = 2.0
"""For all of an answer but the time that the asker gives to a provider."""
_BODY_WITHIN_S: Final = 2.0
_LATER: Final = 1_000
"""Questions that may wait for a provider; one more is told to come again."""
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
    "watches": 1,
    "news": 1,
}
"""How many of each kind are answered at once; the sum is the size of the pool behind."""

Said = tuple[int, Any]
"""A status, and the answer where it is 200."""
Answer = Callable[[bytes], Awaitable[Any]]


@dataclass(slots=True)
class Kind:
    """One kind of question: how it is read and answered, and its places."""

    answer: Answer
    places: asyncio.Semaphore
    waiting: int = 0


class InternalListener:
    """The one handler of the internal listener: checks that a proxy asks, answers its question, seals the answer."""

    def __init__(self, calls: InternalCalls, questions: Questions, tasks: Tasks, watches: Watches) -> None:
        self._calls, self._tasks = calls, tasks
        self._later = 0
        self._kinds = {
            "/internal/token": _kind("token", CallerQuestion, questions.caller),
            "/internal/tokens": _kind("tokens", CallerQuestions, questions.callers),
            "/internal/connection": _kind("connection", InstallationQuestion, questions.installation),
            "/internal/connections": _kind("connections", InstallationQuestions, questions.installations),
            "/internal/gateway": _kind("gateway", GatewayQuestion, questions.gateway),
            "/internal/key-set": _kind("key-set", KeySetQuestion, questions.key_set),
            "/internal/sign-in-steps": _kind("steps", ToldSteps, questions.steps.take),
            "/internal/watches": _kind("watches", WatchQuestion, watches.answer),
            "/internal/news-of-lists": _kind("news", HeardLists, watches.heard),
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
        began = asyncio.get_running_loop().time()
        status, answer = await self._in_time(_within_places(kind, body), ANSWER_WITHIN_S, path)
        if not isinstance(answer, Later):
            return status, answer
        if self._later >= _LATER:
            return 503, None
        self._later += 1
        try:
            ends = began + max(ALL_WITHIN_S, answer.waits_s + _BESIDES_S)
            left = ends - asyncio.get_running_loop().time()
            return await self._in_time(_said(answer.answer), left, path)
        finally:
            self._later -= 1

    async def _in_time(self, answer: "Coroutine[Any, Any, Said]", seconds: float, path: str) -> "Said":
        # A task of its own: a connection that a frozen Postgres holds takes longer to give up than the caller waits.
        work = self._tasks.spawn("question", answer)
        try:
            done, _ = await asyncio.wait({work}, timeout=seconds)
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
        return await _said(lambda: kind.answer(body))
    finally:
        kind.places.release()


async def _said(answer: Callable[[], Awaitable[Any]]) -> tuple[int, Any]:
    try:
        return 200, await answer()
    except msgspec.MsgspecError:
        return 400, None
    except (StoreUnavailable, StoreConflict):
        return 503, None
    except Exception:
        log.exception("internal question failed")
        return 500, None


def _kind(name: str, question: type[Any], answer: Callable[[Any], Awaitable[Any]]) -> Kind:
    decoder = msgspec.msgpack.Decoder(question)

    def decoded(body: bytes) -> Awaitable[Any]:
        return answer(decoder.decode(body))

    return Kind(decoded, asyncio.Semaphore(PLACES[name]))


async def _say_nothing_of_ourselves(_: web.Request, response: web.StreamResponse) -> None:
    response.headers.update(NAMELESS)
