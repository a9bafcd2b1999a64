"""A suspended call that waits in another worker: it goes on there with the caller's answers, and its outcome comes.

The question goes out as a letter, which every worker reads, and the one that has the call says at once that it goes
on, and again while it takes, so that nobody waits for a worker that was killed; where none says so, the call is gone.
The outcome, which may be long, lies sealed in Redis for a moment, and a letter says that it is there. Used by
`proxy/stages/suspend.py`; `proxy/letters.py` brings the letters.
"""

import asyncio
from typing import Any, Final

import msgspec
import orjson

from core import redis_names
from core.identifiers import new_id
from core.keys import KeyRing
from core.sealing import SealBroken, Sealer
from core.tasks import Tasks
from proxy.redis import Redis, RedisAway
from proxy.refusals import TABLE, Refusal
from proxy.sessions.mailbox import Letter, Mailbox
from proxy.sessions.suspended_calls import Json, SuspendedCall, SuspendedCalls

FOUND_S: Final = 2.0
"""How long a worker has to say that it goes on with a call."""
SAYS_SO_S: Final = 10.0
"""How often it says so again."""
SILENT_S: Final = 35.0
"""After how long without a word it is taken for gone."""
OUTCOME_S: Final = 900.0
"""How long an outcome is waited for; each call has a deadline of its own that is shorter."""
END_S: Final = 1.0
KEPT_S: Final = 10
"""Seconds for which an outcome lies in Redis; who waits for it takes it at once."""
LARGEST: Final = 1 << 20
"""Bytes of answers in a letter, which every worker reads."""
LARGEST_OUTCOME: Final = 4 << 20
"""Bytes of an outcome in Redis."""


class _Question(msgspec.Struct, array_like=True, frozen=True):
    """In the letter: whose call of what it is, and the answers as JSON."""

    bound: list[str]
    answers: bytes


class _Outcome(msgspec.Struct, array_like=True, frozen=True):
    """What became of the call."""

    message: bytes = b""
    """JSON; empty where the caller is asked, or refused."""
    questions: bytes = b""
    """JSON, by our keys."""
    reason: str = ""
    """Of a refusal."""
    text: str = ""
    words: bytes = b"{}"
    """JSON."""


class _Awaited:
    """The answer of another worker that is waited for."""

    __slots__ = ("heard", "there")

    def __init__(self) -> None:
        self.heard = asyncio.Event()
        self.there = False
        """Whether the outcome lies in Redis."""

    async def wait(self) -> None:
        """Until it is there. Raises TimeoutError where the other worker says nothing any more."""
        async with asyncio.timeout(FOUND_S):
            await self.heard.wait()
        async with asyncio.timeout(OUTCOME_S):
            while not self.there:
                self.heard.clear()
                async with asyncio.timeout(SILENT_S):
                    await self.heard.wait()


class Elsewhere:
    """One worker's way to the suspended calls of others, and theirs to its own."""

    def __init__(self, mailbox: Mailbox, redis: Redis, ring: KeyRing, tasks: Tasks) -> None:
        self.here = SuspendedCalls(tasks)
        """Its own."""
        self._mailbox, self._redis, self._tasks = mailbox, redis, tasks
        self._sealer = Sealer(ring, "suspended-call")
        self._awaited: dict[str, _Awaited] = {}
        self._going_on: set[asyncio.Task[None]] = set()
        """For callers elsewhere."""

    async def go_on(
        self, identifier: str, bound: tuple[str, ...], answers: bytes
    ) -> tuple[Json | None, dict[str, Json]]:
        """The message that answers the call, or None and what the caller is asked next; `answers`: as `in_letter` has
        them. Refuses `question_gone`.
        """
        question = msgspec.msgpack.encode(_Question(list(bound), answers))
        reply = new_id()
        awaited = self._awaited[reply] = _Awaited()
        try:
            if not await self._mailbox.post(Letter("resume", identifier, reply, question)):
                raise Refusal("question_gone")
            await awaited.wait()
            return _told(await self._fetched(reply, bound))
        except (TimeoutError, RedisAway, SealBroken, msgspec.MsgspecError):
            raise Refusal("question_gone") from None
        finally:
            del self._awaited[reply]

    def deliver(self, letter: Letter) -> None:
        """A letter about a suspended call: from who wants one, or from who has it."""
        awaited = self._awaited.get(letter.jti)
        if letter.kind != "resume" and awaited is not None:
            awaited.there = awaited.there or letter.kind == "resumed"
            awaited.heard.set()
        elif letter.kind == "resume":
            question = msgspec.msgpack.decode(letter.body, type=_Question)
            call = self.here.find(letter.jti, tuple(question.bound))
            if call is not None:
                work = self._go_on_here(call, str(letter.id), orjson.loads(question.answers))
                going_on = self._tasks.spawn("suspended call of a caller elsewhere", work)
                self._going_on.add(going_on)
                going_on.add_done_callback(self._going_on.discard)

    async def end(self) -> None:
        """The worker stops, and its calls were cancelled: wait until callers elsewhere were told, at most `END_S`."""
        if self._going_on:
            await asyncio.wait(set(self._going_on), timeout=END_S)

    async def _go_on_here(self, call: SuspendedCall, reply: str, answers: dict[str, Any]) -> None:
        call.answer(answers)
        saying_so = self._tasks.spawn("word of a suspended call", self._say_so(reply))
        try:
            message = await call.outcome()
            outcome = _Outcome(orjson.dumps(message)) if message is not None else _asks(call)
        except Refusal as refusal:
            outcome = _Outcome(reason=refusal.reason, text=refusal.text, words=orjson.dumps(refusal.words))
        except asyncio.CancelledError:
            if not call.task.cancelled():
                raise
            outcome = _Outcome(reason="question_gone")  # it was given up, perhaps since this worker stops
        finally:
            saying_so.cancel()
        if len(outcome.message) + len(outcome.questions) > LARGEST_OUTCOME:
            outcome = _too_large(call)
        sealed = self._sealer.seal(msgspec.msgpack.encode(outcome), reply, *call.bound)
        try:
            name = redis_names.outcome_key(reply)
            await self._redis.ask(self._redis.commands.set(name, sealed, ex=KEPT_S))
        except RedisAway:
            call.give_up()
            return
        await self._mailbox.post(Letter("resumed", reply))

    async def _say_so(self, reply: str) -> None:
        while True:
            await self._mailbox.post(Letter("resumes", reply))
            await asyncio.sleep(SAYS_SO_S)

    async def _fetched(self, reply: str, bound: tuple[str, ...]) -> _Outcome:
        sealed = await self._redis.ask(self._redis.commands.getdel(redis_names.outcome_key(reply)))
        return msgspec.msgpack.decode(self._sealer.open(sealed or b"", reply, *bound), type=_Outcome)


def in_letter(answers: dict[str, object]) -> bytes:
    """The answers as JSON. Refuses `body_too_large` for what is too long for a letter."""
    written = orjson.dumps(answers)
    if len(written) > LARGEST:
        raise Refusal("body_too_large", limit=LARGEST)
    return written


def _too_large(call: SuspendedCall) -> _Outcome:
    """In place of what is too much for Redis."""
    through = call.asked().through
    server = through.installation.entry if through is not None else ""
    words = {"server": server, "limit": LARGEST_OUTCOME, "unit": "bytes", "detail": "it is for another worker"}
    return _Outcome(reason="upstream_too_large", words=orjson.dumps(words))


def _asks(call: SuspendedCall) -> _Outcome:
    return _Outcome(questions=orjson.dumps(call.questions))


def _told(outcome: _Outcome) -> tuple[Json | None, dict[str, Json]]:
    if outcome.reason:
        known = outcome.reason if outcome.reason in TABLE else "upstream_broken"
        raise Refusal(known, text=outcome.text, **orjson.loads(outcome.words))
    if outcome.message:
        return orjson.loads(outcome.message), {}
    return None, orjson.loads(outcome.questions)
