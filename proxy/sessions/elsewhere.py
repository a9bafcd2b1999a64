"""A suspended call that waits in another worker: it goes on there with the caller's answers, and its outcome comes.

The question goes out as a letter, which every worker reads, and the one that has the call says at once that it goes
on; where none does, the call is gone. The outcome, which may be long, lies sealed in Redis for a moment, and a letter
says that it is there. Used by `proxy/stages/suspend.py`; `proxy/letters.py` brings the letters.
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
OUTCOME_S: Final = 900.0
"""How long an outcome is waited for; each call has a deadline of its own that is shorter."""
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


class Elsewhere:
    """One worker's way to the suspended calls of others, and theirs to its own."""

    def __init__(self, mailbox: Mailbox, redis: Redis, ring: KeyRing, tasks: Tasks) -> None:
        self.here = SuspendedCalls(tasks)
        """Its own."""
        self._mailbox, self._redis, self._tasks = mailbox, redis, tasks
        self._sealer = Sealer(ring, "suspended-call")
        self._found: dict[str, asyncio.Event] = {}
        self._there: dict[str, asyncio.Event] = {}

    async def go_on(
        self, identifier: str, bound: tuple[str, ...], answers: dict[str, object]
    ) -> tuple[Json | None, dict[str, Json]]:
        """The message that answers the call, or None and what the caller is asked next. Refuses `question_gone`, and
        `body_too_large` for answers that are too long for a letter.
        """
        question = msgspec.msgpack.encode(_Question(list(bound), _short(answers)))
        reply = new_id()
        found, there = self._found[reply], self._there[reply] = asyncio.Event(), asyncio.Event()
        try:
            if not await self._mailbox.post(Letter("resume", identifier, reply, question)):
                raise Refusal("question_gone")
            async with asyncio.timeout(FOUND_S):
                await found.wait()
            async with asyncio.timeout(OUTCOME_S):
                await there.wait()
            return _told(await self._fetched(reply, bound))
        except (TimeoutError, RedisAway, SealBroken, msgspec.MsgspecError):
            raise Refusal("question_gone") from None
        finally:
            del self._found[reply], self._there[reply]

    def deliver(self, letter: Letter) -> None:
        """A letter about a suspended call: from who wants one, or from who has it."""
        if letter.kind == "resumes" and letter.jti in self._found:
            self._found[letter.jti].set()
        elif letter.kind == "resumed" and letter.jti in self._there:
            self._there[letter.jti].set()
        elif letter.kind == "resume":
            question = msgspec.msgpack.decode(letter.body, type=_Question)
            call = self.here.find(letter.jti, tuple(question.bound))
            if call is not None:
                work = self._go_on_here(call, str(letter.id), orjson.loads(question.answers))
                _ = self._tasks.spawn("suspended call of a caller elsewhere", work)

    async def _go_on_here(self, call: SuspendedCall, reply: str, answers: dict[str, Any]) -> None:
        call.answer(answers)
        await self._mailbox.post(Letter("resumes", reply))
        try:
            message = await call.outcome()
            outcome = _Outcome(orjson.dumps(message)) if message is not None else _asks(call)
        except Refusal as refusal:
            outcome = _Outcome(reason=refusal.reason, text=refusal.text, words=orjson.dumps(refusal.words))
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

    async def _fetched(self, reply: str, bound: tuple[str, ...]) -> _Outcome:
        sealed = await self._redis.ask(self._redis.commands.getdel(redis_names.outcome_key(reply)))
        return msgspec.msgpack.decode(self._sealer.open(sealed or b"", reply, *bound), type=_Outcome)


def _short(answers: dict[str, object]) -> bytes:
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
