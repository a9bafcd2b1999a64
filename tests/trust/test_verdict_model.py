"""What a worker believes about a token, against a model (row A-10).

Two workers share a Redis and a control that a machine of hypothesis's breaks, partitions and changes in any order,
with answers of control held back on their way. Time is virtual. Whatever happens, a verdict that a worker acts on

- is this token's own;
- has not outlived the token's expiry;
- was true after the last change of this token or its bearer that this worker was told of;
- was true at most a soft age ago while control answers, and at most the hard age ago in any case.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule, run_state_machine_as_test

from core.keys import new_key, parse_key_ring
from core.resolve import CallerQuestion, CallerVerdict, Principal, TokenProof
from core.tasks import Tasks
from core.tokens import digest
from proxy.caches.disk_copy import Kept
from proxy.caches.two_ages import SourceUnreachable
from proxy.refusals import Refusal
from proxy.resolve.caller_verdicts import Authority
from proxy.resolve.control_client import ListsUnknown
from proxy.resolve.control_pulse import ControlPulse
from tests.fakes.silent_network import Breakable
from tests.fakes.virtual_loop import VirtualTime

SOFT, HARD = 60.0, 600.0
RING = parse_key_ring("proxy", new_key())
TOKENS = {name: digest(name) for name in "abcd"}
USERS = {name: f"user-{name}" for name in TOKENS}
WORKERS = st.sampled_from([0, 1])
NAMES = st.sampled_from(sorted(TOKENS))


@dataclass
class Truth:
    """What control would have said of one token from a time on."""

    since: float
    step: int
    verdict: CallerVerdict | None


class Redis:
    """A few commands of Redis in memory, with a lifetime for each value."""

    def __init__(self, clock: VirtualTime) -> None:
        self._clock = clock
        self.values: dict[str, tuple[bytes, float]] = {}

    async def get(self, key: str) -> bytes | None:
        value, until = self.values.get(key, (None, 0.0))
        return value if until > self._clock.now else None

    async def set(self, key: str, value: bytes, ex: int) -> None:
        self.values[key] = (value, self._clock.now + ex)

    async def mget(self, keys: list[str]) -> list[bytes | None]:
        return [await self.get(key) for key in keys]

    def pipeline(self, *, transaction: bool) -> "Pipeline":
        return Pipeline(self)

    async def delete(self, *keys: str) -> None:
        for key in keys:
            self.values.pop(key, None)


class Pipeline:
    """Values that are set with one question."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._commands: list[tuple[str, bytes, int]] = []

    def set(self, key: str, value: bytes, ex: int) -> None:
        self._commands.append((key, value, ex))

    async def execute(self) -> None:
        for command in self._commands:
            await self._redis.set(*command)


class BreakableRedis(Breakable):
    """One worker's way to Redis."""

    def __init__(self, redis: Redis) -> None:
        super().__init__()
        self.commands = redis


class Disk(dict[str, dict[str, Kept]]):
    """The copy on disk."""

    def write(self, name: str, values: dict[str, Kept]) -> bool:
        self[name] = values
        return True

    def read(self, name: str) -> dict[str, Kept]:
        return dict(self.get(name, {}))


@dataclass
class WorkerUnderTest:
    authority: Authority
    redis: BreakableRedis
    disk: Disk
    untold: list[Callable[[Authority], Any]] = field(default_factory=list)
    told: dict[str, int] = field(default_factory=dict)
    """By token: the step of the last change that this worker was told of."""


class Verdicts(RuleBasedStateMachine):
    """The machine. Steps count its changes, so that two at one time have an order."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = VirtualTime()
        self.patches = [
            patch(f"proxy.{module}.time", self.clock)
            for module in (
                "resolve.caller_verdicts",
                "resolve.control_pulse",
                "resolve.refreshes",
                "limits.budget",
                "caches.two_ages",
                "caches.layered",
                "caches.redis_copy",
            )
        ]
        for one in self.patches:
            one.start()
        self.loop = asyncio.new_event_loop()
        self.pulse = ControlPulse()
        self.redis = Redis(self.clock)
        self.redis_is_down = False
        self.control_is_down = False
        self.control_knows_lists = True
        self.held_back: asyncio.Event | None = None
        self.step = 0
        self.truths = {name: [Truth(0.0, 0, None)] for name in TOKENS}
        self.unpublished: list[str] = []
        self.waiting: list[asyncio.Task[None]] = []
        self.tasks = self.run(self.new_tasks())
        self.workers = [self.run(self.new_worker(Disk())) for _ in range(2)]

    def run(self, work: Any) -> Any:
        return self.loop.run_until_complete(work)

    async def new_tasks(self) -> Tasks:
        return Tasks("model", quiet=(Refusal, SourceUnreachable))

    async def new_worker(self, disk: Disk) -> WorkerUnderTest:
        redis = BreakableRedis(self.redis)
        redis.away = self.redis_is_down
        authority = Authority(
            self, redis, RING, soft=SOFT, hard=HARD, unknown_per_second=1e9, tasks=self.tasks, gathered=0.0  # type: ignore[arg-type]
        )  # fmt: skip
        authority.verdicts.load(disk)  # type: ignore[arg-type]
        return WorkerUnderTest(authority, redis, disk)

    async def caller(self, question: CallerQuestion) -> CallerVerdict:
        """Control's answer, as of now, though it may be long on its way."""
        name = next(name for name, one in TOKENS.items() if one == question.digest)
        verdict = self.truths[name][-1].verdict
        if verdict is not None and verdict.expires is not None and verdict.expires <= self.clock.time():
            verdict = None
        is_down = self.control_is_down
        if self.held_back is not None:
            await self.held_back.wait()
        if is_down:
            raise SourceUnreachable
        return verdict or CallerVerdict(question.digest, refusal="unknown")

    async def callers(self, questions: list[CallerQuestion]) -> dict[CallerQuestion, CallerVerdict]:
        """Its answer to a list; to some of it, where a token was revoked: what it leaves out is asked alone."""
        if not self.control_knows_lists:
            raise ListsUnknown
        answers = await asyncio.gather(*(self.caller(question) for question in questions))
        by_digest = [(CallerQuestion(answer.digest), answer) for answer in answers]
        return dict(by_digest[1:] if any(answer.refusal for answer in answers) else by_digest)

    def change(self, name: str, verdict: CallerVerdict | None) -> None:
        self.step += 1
        self.truths[name].append(Truth(self.clock.now, self.step, verdict))

    def publish(self, name: str, apply: Callable[[Authority], Any]) -> None:
        """As control does: the copy goes before the event comes; nothing goes while Redis is down."""
        self.publications = [*getattr(self, "publications", []), (name, self.step, apply)]
        self.flush()

    def flush(self) -> None:
        if self.redis_is_down:
            return
        for name, step, apply in getattr(self, "publications", []):
            self.redis.values.pop(f"verdict:{TOKENS[name]}", None)
            for worker in self.workers:
                worker.untold.append(self.telling(worker, name, step, apply))
        self.publications: list[tuple[str, int, Callable[[Authority], Any]]] = []

    def telling(
        self, worker: WorkerUnderTest, name: str, step: int, apply: Callable[[Authority], Any]
    ) -> Callable[[Authority], Any]:
        async def tell(authority: Authority) -> None:
            await apply(authority)
            worker.told[name] = max(worker.told.get(name, 0), step)

        return tell

    @rule(name=NAMES, team=st.sampled_from(["", "red", "blue"]), life=st.sampled_from([None, 5.0, 45.0, 300.0]))
    def issue_or_change_role(self, name: str, team: str, life: float | None) -> None:
        old = self.truths[name][-1].verdict
        principal = Principal("user", USERS[name], name, frozenset({team} - {""}))
        expires = old.expires if old is not None else None if life is None else self.clock.time() + life
        self.change(name, CallerVerdict(TOKENS[name], principal, f"id-{name}", expires))
        if old is None:
            self.publish(name, lambda authority: authority.forget(TOKENS[name]))
        else:
            self.publish(name, lambda authority: authority.forget_principal("user", USERS[name]))

    @rule(name=NAMES)
    def revoke(self, name: str) -> None:
        self.change(name, None)
        self.publish(name, lambda authority: authority.forget(TOKENS[name]))

    @rule(which=WORKERS)
    def a_worker_is_told(self, which: int) -> None:
        worker = self.workers[which]
        if worker.redis.away:
            return
        for tell in worker.untold:
            self.run(tell(worker.authority))
        worker.untold.clear()

    @rule(seconds=st.sampled_from([0.5, 3.0, 29.0, 31.0, 61.0, 400.0, 601.0]))
    def time_passes(self, seconds: float) -> None:
        """A second is long enough for every answer and every event, of whoever is reached at all."""
        self.answers_arrive()
        for which in (0, 1):
            self.a_worker_is_told(which)
        self.clock.now += seconds

    @rule(down=st.booleans())
    def control_goes_or_comes(self, down: bool) -> None:
        self.control_is_down = down

    @rule(down=st.booleans())
    def redis_goes_or_comes(self, down: bool) -> None:
        self.redis_is_down = down
        for worker in self.workers:
            worker.redis.away = down
        self.flush()

    @rule()
    def redis_is_flushed(self) -> None:
        self.redis.values.clear()

    @rule(which=WORKERS)
    def a_worker_doubts(self, which: int) -> None:
        self.workers[which].authority.verdicts.memory.doubt_all()

    @precondition(lambda self: not self.waiting)
    @rule(which=WORKERS)
    def a_worker_is_restarted(self, which: int) -> None:
        """It is told nothing of before: what it compares with and what it asks must do."""
        worker = self.workers[which]
        if worker.untold or self.redis_is_down:
            return  # then it may act on its own copy on disk up to the hard age, which is promised
        write = worker.authority.verdicts.pending_write(worker.disk)  # type: ignore[arg-type]
        if write is not None:
            write()
        fresh = self.run(self.new_worker(worker.disk))
        fresh.told = worker.told
        self.workers[which] = fresh

    @rule()
    def answers_are_held_back(self) -> None:
        if self.held_back is None:
            self.held_back = asyncio.Event()

    @rule()
    def answers_arrive(self) -> None:
        if self.held_back is not None:
            self.held_back.set()
            self.held_back = None
        if self.waiting:
            waiting, self.waiting = self.waiting, []
            self.run(asyncio.wait_for(asyncio.gather(*waiting), 30))

    @rule(which=WORKERS, name=NAMES, team=st.sampled_from([None, "green"]), told=WORKERS)
    def a_change_overtakes_an_answer(self, which: int, name: str, team: str | None, told: int) -> None:
        """The race that chance finds too rarely: an answer from before a change arrives after it."""
        self.answers_are_held_back()
        self.somebody_calls(which, name)
        if team is None:
            self.revoke(name)
        else:
            self.issue_or_change_role(name, team, None)
        self.a_worker_is_told(told)
        self.answers_arrive()
        self.somebody_calls(told, name)

    @rule(which=WORKERS, name=NAMES, slow=st.booleans(), seconds=st.sampled_from([3.0, 31.0]))
    def a_token_expires_between_or_during_calls(self, which: int, name: str, slow: bool, seconds: float) -> None:
        """Another that chance finds too rarely: a life that ends while the verdict is young, or on its way."""
        self.revoke(name)
        self.issue_or_change_role(name, "red", seconds - 1)
        self.a_worker_is_told(which)
        if slow:
            self.answers_are_held_back()
        else:
            self.answers_arrive()
        self.somebody_calls(which, name)
        self.clock.now += seconds
        self.answers_arrive()
        self.somebody_calls(which, name)

    @rule(known=st.booleans())
    def control_is_of_another_version(self, known: bool) -> None:
        self.control_knows_lists = known

    @rule(which=WORKERS, name=NAMES, team=st.sampled_from([None, "green"]), told=WORKERS)
    def a_change_overtakes_a_list(self, which: int, name: str, team: str | None, told: int) -> None:
        """The same race, for an answer about several that are refreshed together."""
        self.answers_arrive()
        self.everybody_calls(which)
        self.clock.now += 40.0
        self.answers_are_held_back()
        self.everybody_calls(which)
        if team is None:
            self.revoke(name)
        else:
            self.issue_or_change_role(name, team, None)
        self.a_worker_is_told(told)
        self.answers_arrive()
        self.everybody_calls(told)

    @rule(which=WORKERS)
    def everybody_calls(self, which: int) -> None:
        """At one moment, so that what is refreshed is asked in one list."""
        worker = self.workers[which]

        async def begin() -> "list[asyncio.Task[None]]":
            return [self.tasks.spawn("call", self.call(worker, name, dict(worker.told))) for name in TOKENS]

        tasks = self.run(begin())
        if self.held_back is not None:
            self.waiting += tasks
        else:
            self.run(asyncio.wait(tasks))
        for _ in range(20):  # refreshes go on by themselves
            self.run(asyncio.sleep(0))

    @rule(which=WORKERS, name=NAMES)
    def somebody_calls(self, which: int, name: str) -> None:
        worker = self.workers[which]

        async def begin() -> "asyncio.Task[None]":
            return self.tasks.spawn("call", self.call(worker, name, dict(worker.told)))

        task = self.run(begin())
        if self.held_back is not None:
            self.waiting.append(task)
            self.run(asyncio.sleep(0))
            self.run(asyncio.sleep(0))
            return
        self.run(task)

    async def call(self, worker: WorkerUnderTest, name: str, told: dict[str, int]) -> None:
        began = self.clock.now
        try:
            verdict = self.authenticated(worker.authority, TOKENS[name]) or await worker.authority.verdict(
                TokenProof(TOKENS[name]), "203.0.113.9"
            )
        except (Refusal, SourceUnreachable):
            return
        self.judge(name, verdict, told.get(name, 0), began)

    def judge(self, name: str, verdict: CallerVerdict, told: int, began: float) -> None:
        """The sentence that this run is about; see the module."""
        self.is_true_enough(name, verdict, told, began)

    def is_true_enough(self, name: str, verdict: CallerVerdict, told: int, began: float) -> None:
        until = self.when_true(name, verdict, after=told)
        assert until is not None, "was not true after the change that this worker had applied"
        assert began - until <= HARD, "was true only so long ago"
        assert began - until <= SOFT or self.control_is_down or self.held_back is not None, "was asked too long ago"

    @staticmethod
    def authenticated(authority: Authority, token: str) -> CallerVerdict | None:
        """The warm path, as the stage takes it."""
        if authority.refused_lately(token):
            raise Refusal("not_authenticated")
        return authority.known(TokenProof(token))

    def when_true(self, name: str, verdict: CallerVerdict, *, after: int) -> float | None:
        """Until when this verdict was true, counting only truths from step `after` on."""
        truths = self.truths[name]
        for place in reversed(range(len(truths))):
            if truths[place].step < after:
                return None
            if truths[place].verdict == verdict:
                return truths[place + 1].since if place + 1 < len(truths) else self.clock.now
        return None

    def teardown(self) -> None:
        try:
            self.answers_arrive()
        finally:
            self.run(self.tasks.close())
            self.run(self.loop.shutdown_default_executor())
            self.loop.close()
            for one in self.patches:
                one.stop()


class OwnVerdicts(Verdicts):
    def judge(self, name: str, verdict: CallerVerdict, told: int, began: float) -> None:
        assert (verdict.digest, verdict.credential_id) == (TOKENS[name], f"id-{name}"), "another token's verdict"
        assert verdict.principal is not None
        assert verdict.principal.id == USERS[name], "another bearer's verdict"


class UnexpiredVerdicts(Verdicts):
    def judge(self, name: str, verdict: CallerVerdict, told: int, began: float) -> None:
        assert verdict.expires is None or verdict.expires > self.clock.time(), "outlived its expiry"


class UnrevokedVerdicts(Verdicts):
    def judge(self, name: str, verdict: CallerVerdict, told: int, began: float) -> None:
        if self.truths[name][-1].verdict is None:
            self.is_true_enough(name, verdict, told, began)


class PresentRoles(Verdicts):
    def judge(self, name: str, verdict: CallerVerdict, told: int, began: float) -> None:
        if self.truths[name][-1].verdict is not None:
            self.is_true_enough(name, verdict, told, began)


@pytest.mark.parametrize(
    "machine",
    [
        pytest.param(OwnVerdicts, id="A-10: token A's verdict for token B"),
        pytest.param(UnexpiredVerdicts, id="A-10: outlives exp"),
        pytest.param(UnrevokedVerdicts, id="A-10: outlives revocation"),
        pytest.param(PresentRoles, id="A-10: outlives role change"),
    ],
)
def test_no_verdict_is_anothers_or_outlives_its_truth(machine: type[Verdicts]) -> None:
    quick = settings(max_examples=60, stateful_step_count=50, deadline=None, suppress_health_check=list(HealthCheck))
    run_state_machine_as_test(machine, settings=quick)
