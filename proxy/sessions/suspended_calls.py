"""Calls of legacy servers that wait for a modern caller, who was given the server's question in place of a result.

The server asks in the middle of its answer, and waits; the caller has no call open meanwhile, and makes it again with
the answers. So the call itself stays here, in the worker that made it: `proxy/stages/suspend.py` begins one, and goes
on with it when the caller is back, in this worker or, by letters, in another. Bounded in number, for each caller and
in all, and in time. Whatever ends a running call ends one that waits, too.
"""

import asyncio
from collections.abc import Callable, Coroutine, Iterator, Mapping
from typing import Any, Final

import orjson

from core.identifiers import new_id
from core.mcp.faults import INVALID_REQUEST
from core.tasks import Tasks
from proxy.limits.running_calls import Asked, CutOff
from proxy.limits.shares import Shares, quarter
from proxy.refusals import Refusal

MOST: Final = 1_000
"""Calls that one worker keeps so."""
QUESTION_S: Final = 300.0
"""How long a caller has for an answer, and a result that came without one is kept."""
MOST_BYTES: Final = 64 << 20
"""Of the questions and results that one worker keeps so, as JSON; a caller has a quarter."""
LONGEST_QUESTION: Final = 1 << 20
GATHERED_S: Final = 0.02
"""How long more questions of the same server are waited for, once there is one."""
Json = dict[str, Any]
Converse = Callable[["SuspendedCall"], Coroutine[Any, Any, Json]]
"""The conversation with the server, which asks through the call; the message that answers it."""


class SuspendedCall:
    """One call that goes on without its caller, from one question to the next."""

    __slots__ = (
        "_answered",
        "_asked",
        "_calls",
        "_changed",
        "_expiry",
        "bound",
        "bytes_held",
        "cut",
        "id",
        "listener",
        "principal",
        "questions",
        "task",
    )  # fmt: skip

    def __init__(self, calls: "SuspendedCalls", bound: tuple[str, ...], asked: Asked, converse: Converse) -> None:
        self.id, self.bound, self.principal = new_id(), bound, asked.caller.key
        self._calls, self._asked = calls, asked
        self.questions: dict[str, Json] = {}
        """What the caller has not answered: by a key of ours, method and params."""
        self._answered: dict[str, asyncio.Future[Json]] = {}
        self._changed = asyncio.Event()
        self.bytes_held = 0
        self._expiry: asyncio.TimerHandle | None = None
        self.listener: Callable[[str, Json], Coroutine[Any, Any, None]] | None = None
        """Who is told of progress, while the caller is there."""
        self.cut: CutOff | None = None
        """Why it was ended."""
        self.task: asyncio.Task[Json] = calls.tasks.spawn("suspended call", converse(self))
        self.task.add_done_callback(self._over)

    async def tell(self, method: str, params: Json) -> None:
        """Pass a notification on to the caller, if they are there."""
        if self.listener is not None:
            await self.listener(method, params)

    async def ask(self, method: str, params: Json) -> Json:
        """Ask the caller, who answers when they call again; an error in place of an answer that cannot be had."""
        size = _size(params)
        if size > LONGEST_QUESTION or not self._calls.hold(self) or not self._calls.hold_bytes(self, size):
            return {"error": {"code": INVALID_REQUEST, "message": "Too much waits for answers."}}
        key = new_id()
        future: asyncio.Future[Json] = asyncio.get_running_loop().create_future()
        self.questions[key], self._answered[key] = {"method": method, "params": params}, future
        self._changed.set()
        try:
            async with asyncio.timeout(QUESTION_S):
                return await future
        except TimeoutError:
            return {"error": {"code": INVALID_REQUEST, "message": f"No answer within {QUESTION_S:g} s."}}
        finally:
            self.questions.pop(key, None)
            self._answered.pop(key, None)

    def answer(self, answers: Mapping[str, object]) -> None:
        """The caller is back with answers; what is left unanswered is asked again."""
        for key, answer in answers.items():
            future = self._answered.get(key)
            if future is not None and not future.done():
                self.questions.pop(key, None)
                future.set_result({"result": answer})
        self._changed.clear()

    async def outcome(self) -> Json | None:
        """The message that answers the call; None as soon as the caller must be asked. Raises what the call does."""
        self._stay()
        while not self.task.done():
            if self.questions:
                await asyncio.sleep(GATHERED_S)
                if not self.task.done():
                    self._leave()
                    return None
                break
            self._changed.clear()
            await self._changed.wait()
        self._calls.end(self)
        if self.cut is not None:
            raise Refusal(self.cut)
        return self.task.result()

    def asked(self) -> Asked:
        """Who called, which gateway, from where, and through which installation."""
        return self._asked

    @property
    def request_id(self) -> str:
        """Of no request: the caller's are over."""
        return self.id

    def keep_alive(self) -> None:
        """Nothing: nobody waits here."""

    def attend(self) -> None:
        """It runs in a task already."""

    def cut_off(self, why: CutOff) -> None:
        """End it now, and tell its caller why when they are back."""
        self.cut = why
        self.task.cancel()

    @property
    def key(self) -> None:
        """No session cancels it: its caller has none."""
        return

    def cancel(self) -> None:
        """End it, as the worker stops."""
        self.give_up()

    def give_up(self) -> None:
        """Nobody wants it any more."""
        self._calls.end(self)
        self.task.cancel()

    def _over(self, task: asyncio.Task[Json]) -> None:
        """There is a result, or none: one that comes while the caller is away is kept if there is room for it."""
        self._changed.set()
        if self._expiry is None or task.cancelled() or task.exception() is not None:
            return
        if not self._calls.hold_bytes(self, _size(task.result())):
            self.give_up()

    def _stay(self) -> None:
        if self._expiry is not None:
            self._expiry.cancel()
            self._expiry = None

    def _leave(self) -> None:
        """The caller is away: for a while."""
        self._stay()
        self.listener = None
        self._expiry = asyncio.get_running_loop().call_later(QUESTION_S, self.give_up)


class SuspendedCalls:
    """The calls that wait in one worker."""

    def __init__(self, tasks: Tasks) -> None:
        self.tasks = tasks
        self._held: dict[str, SuspendedCall] = {}
        self._shares, self._bytes = Shares(), Shares()

    def begin(self, bound: tuple[str, ...], asked: Asked, converse: Converse) -> SuspendedCall:
        """A call that may be suspended; `bound`: whose call of what it is."""
        return SuspendedCall(self, bound, asked, converse)

    def hold(self, call: SuspendedCall) -> bool:
        """Keep a call whose server asks; False where too many are kept."""
        if call.id in self._held:
            return True
        if not self._shares.take(call.principal, 1, most=MOST, share=quarter(MOST)):
            return False
        self._held[call.id] = call
        return True

    def hold_bytes(self, call: SuspendedCall, size: int) -> bool:
        """Room for so much more of a call that is kept, until it is over; False where there is none."""
        if call.id not in self._held:
            return False
        if not self._bytes.take(call.principal, size, most=MOST_BYTES, share=quarter(MOST_BYTES)):
            return False
        call.bytes_held += size
        return True

    def find(self, identifier: str, bound: tuple[str, ...]) -> SuspendedCall | None:
        """The call, if it waits here and is this one's."""
        call = self._held.get(identifier)
        return call if call is not None and call.bound == bound else None

    def end(self, call: SuspendedCall) -> None:
        """It is over."""
        if self._held.pop(call.id, None) is not None:
            self._shares.give_back(call.principal, 1)
            self._bytes.give_back(call.principal, call.bytes_held)
            call.bytes_held = 0

    def __iter__(self) -> Iterator[SuspendedCall]:
        """All of them."""
        return iter(list(self._held.values()))

    def __len__(self) -> int:
        return len(self._held)


def _size(message: Json) -> int:
    """Of a message, as JSON."""
    return len(orjson.dumps(message, default=str))
