from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from typing import Any

import pytest
from msgspec.structs import replace

from core.egress.rules import EgressRules
from core.keys import new_key, parse_key_ring
from core.resolve import InstallationAnswer, InstallationQuestion, InstallationRefusal, ResolvedInstallation
from core.tasks import Tasks
from proxy.caches.two_ages import SourceUnreachable
from proxy.redis import Redis
from proxy.refusals import Refusal
from proxy.resolve import renewals
from proxy.resolve.control_pulse import ControlPulse
from proxy.resolve.installations import Installations
from tests.fakes.call_parts import installation

FIRST = installation(credential_headers=[("authorization", "Bearer 1")])
SECOND = replace(FIRST, version=2, credential_headers=[("authorization", "Bearer 2")])
ANN, BEN = InstallationQuestion("ann", "g", "a"), InstallationQuestion("ben", "g", "a")
ANNS, BENS = "g/a/user:ann", "g/a/user:ben"
SIGN_IN, AWAY = InstallationRefusal("needs_sign_in", "Sign in."), InstallationRefusal("provider_away", "Later.")
NOT_YOURS = InstallationRefusal("not_allowed", "Not yours.")
SOON_S = 30.0


@dataclass
class Control:
    """Resolves to `now`; what it says of refused credentials is in `answers`, by who asks."""

    now: ResolvedInstallation = FIRST
    answers: dict[str, ResolvedInstallation | InstallationRefusal | Exception] = field(default_factory=dict)
    asked: list[InstallationQuestion] = field(default_factory=list)
    gate: asyncio.Event | None = None
    pulse: ControlPulse = field(default_factory=ControlPulse)

    async def installation(self, _: InstallationQuestion) -> InstallationAnswer:
        return InstallationAnswer(self.now)

    async def installations(self, questions: list[InstallationQuestion]) -> dict[Any, Any]:
        return {}

    async def renewal(self, question: InstallationQuestion) -> InstallationAnswer:
        self.asked.append(question)
        if self.gate is not None:
            await self.gate.wait()
        said = self.answers.get(question.digest, SECOND)
        if isinstance(said, Exception):
            raise said
        if isinstance(said, InstallationRefusal):
            return InstallationAnswer(refusal=said)
        return InstallationAnswer(said)


class Worker:
    """The memory of one worker, in which Ann and Ben have an installation each, or the same."""

    def __init__(self, control: Control) -> None:
        redis, ring = Redis("redis://127.0.0.1:1/0"), parse_key_ring("proxy", new_key())
        self.tasks = Tasks("test", quiet=(Refusal, SourceUnreachable))
        self.held = Installations(control, redis, ring, soft=60, hard=600, tasks=self.tasks)  # type: ignore[arg-type]  # its methods

    async def know(self) -> None:
        await self.held.resolve(ANNS, ANN)
        await self.held.resolve(BENS, BEN)

    async def newer(
        self, key: str, question: InstallationQuestion, *, within: float = SOON_S
    ) -> ResolvedInstallation | None:
        asked = replace(question, refused_version=1)
        return await self.held.renewals.newer(key, asked, FIRST, time.monotonic() + within)

    def holds(self, key: str) -> ResolvedInstallation | None:
        return self.held.young(key)


async def both(worker: Worker, control: Control) -> list[Any]:
    """What Ann and Ben get, who ask together; Ann was first."""
    control.gate = asyncio.Event()
    together = asyncio.gather(worker.newer(ANNS, ANN), worker.newer(BENS, BEN), return_exceptions=True)
    for _ in range(10):
        await asyncio.sleep(0)
    control.gate.set()
    return [one.reason if isinstance(one, Refusal) else one for one in await together]


async def settled(worker: Worker) -> None:
    """Nothing runs in the background any more."""
    if running := set(worker.tasks._running):
        _ = await asyncio.wait(running)


@pytest.fixture
def control() -> Control:
    return Control()


@pytest.fixture
async def worker(control: Control) -> Worker:
    made = Worker(control)
    await made.know()
    return made


async def test_a_newer_credential_is_held_from_now_on(worker: Worker, control: Control) -> None:
    assert await worker.newer(ANNS, ANN) == SECOND
    assert worker.holds(ANNS) == SECOND
    assert control.asked == [replace(ANN, refused_version=1)]


@pytest.mark.parametrize("of", ["user:", "digest of "], ids=["what is told of them", "their own credential"])
async def test_what_is_one_caller_s_serves_no_other_though_the_installation_is_the_same(of: str) -> None:
    control, refused = Control(), {}
    worker = Worker(control)
    for name, question in (("ann", ANN), ("ben", BEN)):
        refused[name] = replace(FIRST, made_for=f"{of}{name}", obtained_at=5.0)
        control.now = refused[name]
        control.answers[name] = replace(refused[name], obtained_at=6.0, statement_headers=[("x-user", name)])
        await worker.held.resolve(f"g/a/user:{name}#digest of {name}", question)
    for name, question in (("ann", ANN), ("ben", BEN)):
        key, until = f"g/a/user:{name}#digest of {name}", time.monotonic() + SOON_S
        found = await worker.held.renewals.newer(key, question, refused[name], until)
        assert found is not None
        assert found.statement_headers == [("x-user", name)]
        assert worker.holds(key) == found
    assert [one.digest for one in control.asked] == ["ann", "ben"]


@pytest.mark.parametrize("together", [True, False], ids=["at the same time", "later"])
async def test_what_a_server_is_told_of_one_tool_s_call_goes_with_no_call_of_another(*, together: bool) -> None:
    """A statement says which tool on which gateway is called: a newer credential brings nobody's words along."""
    control, old, asked = Control(), {}, []
    worker = Worker(control)
    for tool in ("a", "b"):
        old[tool] = replace(FIRST, made_for="user:ann", statement_headers=[("x-tool", tool)])
        control.now = old[tool]
        await worker.held.resolve(f"g/{tool}/user:ann", replace(ANN, assignment_id=tool))

    async def renewal(question: InstallationQuestion) -> InstallationAnswer:
        asked.append(question.assignment_id)
        await asyncio.sleep(0)
        told = [("x-tool", question.assignment_id)]
        return InstallationAnswer(replace(SECOND, made_for="user:ann", statement_headers=told))

    async def newer(tool: str) -> ResolvedInstallation | None:
        question, until = replace(ANN, assignment_id=tool, refused_version=1), time.monotonic() + SOON_S
        return await worker.held.renewals.newer(f"g/{tool}/user:ann", question, old[tool], until)

    control.renewal = renewal  # type: ignore[method-assign]
    found = await asyncio.gather(newer("a"), newer("b")) if together else [await newer("a"), await newer("b")]
    assert [one and one.statement_headers for one in found] == [[("x-tool", "a")], [("x-tool", "b")]]
    for tool in ("a", "b"):
        held = worker.holds(f"g/{tool}/user:ann")
        assert held is not None
        assert held.statement_headers == [("x-tool", tool)]
    assert asked == ["a", "b"]


async def test_a_newer_one_that_was_made_for_another_is_held_for_nobody(worker: Worker, control: Control) -> None:
    control.answers["ann"] = replace(SECOND, made_for="user:ben")
    assert await worker.newer(ANNS, ANN) is None
    assert worker.holds(ANNS) == FIRST


async def test_where_an_installation_changed_what_it_had_for_each_of_its_callers_serves_nobody() -> None:
    control = Control(replace(FIRST, made_for="user:ann"))
    worker = Worker(control)
    await worker.held.resolve(ANNS, ANN)
    control.answers["ann"] = replace(SECOND, made_for="user:ann")
    assert await worker.newer(ANNS, ANN) is not None
    worker.held.renewals.forget(FIRST.installation_id)
    assert not [*worker.held.renewals._newest, *worker.held.renewals._said]


async def test_who_meets_the_same_refusal_meanwhile_or_later_asks_nobody(worker: Worker, control: Control) -> None:
    await worker.held.resolve("g/b/user:ann", replace(ANN, assignment_id="b"))
    assert await both(worker, control) == [SECOND, SECOND]
    assert await worker.newer("g/b/user:ann", ANN) == SECOND
    assert await worker.newer(ANNS, ANN) == SECOND
    assert len(control.asked) == worker.held.renewals.questions == 1
    assert worker.holds(BENS) == SECOND


async def test_what_one_caller_brought_is_no_word_for_another_of_whom_nothing_is_known(
    worker: Worker, control: Control
) -> None:
    assert await worker.newer(ANNS, ANN) == SECOND
    control.answers["ben"] = NOT_YOURS
    await worker.held.forget_principal("user:ben")
    with pytest.raises(Refusal, match="not_allowed"):
        await worker.newer(BENS, BEN)


async def test_the_word_that_an_installation_is_theirs_grows_no_younger_by_anothers_call(
    worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = worker.held.rest(BENS)
    assert before is not None
    assert await worker.newer(ANNS, ANN) == SECOND
    assert await worker.newer(BENS, BEN) == SECOND
    after = worker.held.rest(BENS)
    assert after is not None
    assert (after.aged.asked, after.aged.value) == (before.aged.asked, SECOND)


async def test_that_the_provider_is_away_is_for_all_who_met_it(worker: Worker, control: Control) -> None:
    control.answers["ann"] = AWAY
    assert await both(worker, control) == ["provider_away", "provider_away"]
    assert len(control.asked) == 1


async def test_where_somebody_must_sign_in_each_caller_gets_a_link_of_their_own(
    worker: Worker, control: Control
) -> None:
    for name in ("ann", "ben"):
        control.answers[name] = InstallationRefusal("needs_sign_in", "Sign in.", f"https://pages.test/?as={name}")
    control.gate = asyncio.Event()
    together = asyncio.gather(worker.newer(ANNS, ANN), worker.newer(BENS, BEN), return_exceptions=True)
    for _ in range(10):
        await asyncio.sleep(0)
    control.gate.set()
    links = [one.link for one in await together if isinstance(one, Refusal)]
    for key, question in ((ANNS, ANN), (BENS, BEN)):  # of a moment ago
        with pytest.raises(Refusal) as refused:
            await worker.newer(key, question)
        links.append(refused.value.link)
    assert links == ["https://pages.test/?as=ann", "https://pages.test/?as=ben"] * 2
    assert len(control.asked) == 2


async def test_a_refusal_of_one_caller_is_not_for_another(worker: Worker, control: Control) -> None:
    control.answers["ann"] = NOT_YOURS
    assert await both(worker, control) == ["not_allowed", SECOND]


async def test_another_installation_that_one_caller_has_now_is_not_for_another(
    worker: Worker, control: Control
) -> None:
    control.answers["ann"] = own = replace(FIRST, installation_id="anns own")
    assert await both(worker, control) == [own, SECOND]


@pytest.mark.parametrize("answer", [FIRST, SIGN_IN, AWAY])
async def test_what_control_has_in_place_of_a_newer_one_is_not_asked_for_again_for_a_while(
    worker: Worker, control: Control, answer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    control.answers["ann"] = answer
    told = []
    for _ in range(2):
        try:
            told.append(await worker.newer(ANNS, ANN))
        except Refusal as refusal:
            told.append(refusal.reason)
    assert told == [None if answer is FIRST else answer.code] * 2
    assert len(control.asked) == 1
    later = time.monotonic() + renewals.NOTHING_NEWER_S + 1
    monkeypatch.setattr(renewals.time, "monotonic", lambda: later)
    control.answers["ann"] = SECOND
    assert await worker.newer(ANNS, ANN) == SECOND


@pytest.mark.parametrize("news", ["a change", "a doubt"])
async def test_what_was_said_before_the_installation_changed_is_asked_again(
    worker: Worker, control: Control, news: str
) -> None:
    control.answers["ann"] = SIGN_IN
    with pytest.raises(Refusal):
        await worker.newer(ANNS, ANN)
    control.answers["ann"] = SECOND
    if news == "a change":
        await worker.held.forget_installation("another")
        with pytest.raises(Refusal):
            await worker.newer(ANNS, ANN)
        await worker.held.forget_installation(FIRST.installation_id)
    else:
        worker.held.doubt()
    assert await worker.newer(ANNS, ANN) == SECOND


async def test_what_was_asked_before_a_change_and_comes_after_it_serves_no_other_caller(
    worker: Worker, control: Control
) -> None:
    """Such as the policy to which its address is held, that was read before a provider was asked for a token."""
    control.gate = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        anns = group.create_task(worker.newer(ANNS, ANN))
        while not control.asked:  # noqa: ASYNC110 - it is asked at once
            await asyncio.sleep(0)
        control.now = replace(FIRST, egress=EgressRules("off"), environment="production")
        await worker.held.forget_installation(FIRST.installation_id)
        await worker.know()
        control.gate.set()
    assert anns.result() == SECOND
    control.answers["ben"] = replace(control.now, version=2)
    assert await worker.newer(BENS, BEN) == control.answers["ben"]
    assert worker.holds(BENS) == control.answers["ben"]


async def test_what_an_installation_had_before_it_changed_serves_nobody(worker: Worker, control: Control) -> None:
    control.answers["ann"] = replace(FIRST, version=9)
    assert await worker.newer(ANNS, ANN) == replace(FIRST, version=9)
    await worker.held.forget_installation(FIRST.installation_id)
    control.answers["ben"] = SECOND
    await worker.know()
    assert await worker.newer(BENS, BEN) == SECOND


@pytest.mark.parametrize(("answer", "is_held"), [(SIGN_IN, False), (NOT_YOURS, False), (AWAY, True), (FIRST, True)])
async def test_a_refused_credential_is_let_go_of_where_nothing_comes_in_its_place(
    worker: Worker, control: Control, answer: Any, is_held: bool
) -> None:
    control.answers["ann"] = answer
    try:
        await worker.newer(ANNS, ANN)
    except Refusal:
        assert isinstance(answer, InstallationRefusal)
    assert (worker.holds(ANNS) == FIRST) == is_held


@pytest.mark.parametrize("said", [{"needed_scopes": ("repo",)}, {"too_few_scopes": True}], ids=["named", "unnamed"])
async def test_a_token_whose_scopes_do_not_do_for_one_tool_goes_on_serving_others(
    worker: Worker, control: Control, said: dict[str, Any]
) -> None:
    control.answers["ann"] = SIGN_IN
    asked = replace(ANN, **said)
    with pytest.raises(Refusal, match="needs_sign_in"):
        await worker.held.renewals.newer(ANNS, asked, FIRST, time.monotonic() + SOON_S)
    assert worker.holds(ANNS) == FIRST


async def test_what_was_said_of_missing_scopes_is_not_taken_for_what_is_said_of_a_refused_token(
    worker: Worker, control: Control
) -> None:
    control.answers["ann"] = SIGN_IN
    with pytest.raises(Refusal, match="needs_sign_in"):
        await worker.held.renewals.newer(ANNS, replace(ANN, too_few_scopes=True), FIRST, time.monotonic() + SOON_S)
    control.answers["ann"] = SECOND
    assert await worker.newer(ANNS, ANN) == SECOND


async def test_who_waits_no_longer_than_their_call_may_take_stops_nobody_else(
    worker: Worker, control: Control
) -> None:
    control.gate = asyncio.Event()
    waiting = asyncio.gather(worker.newer(ANNS, ANN))
    assert await worker.newer(BENS, BEN, within=0.0) is None
    control.gate.set()
    assert await waiting == [SECOND]


async def test_a_control_that_is_away_is_told_as_such(worker: Worker, control: Control) -> None:
    control.answers["ann"] = SourceUnreachable()
    with pytest.raises(SourceUnreachable):
        await worker.newer(ANNS, ANN)
    assert worker.holds(ANNS) == FIRST


async def test_a_result_that_looks_refused_starts_one_question_a_minute(
    worker: Worker, control: Control, monkeypatch: pytest.MonkeyPatch
) -> None:
    control.answers["ann"] = SourceUnreachable()
    asked = replace(ANN, refused_version=1)
    for _ in range(3):
        worker.held.renewals.suspect(ANNS, asked, FIRST)
        await settled(worker)
    assert control.asked == [asked]
    later = time.monotonic() + renewals.SUSPECTED_S + 1
    monkeypatch.setattr(renewals.time, "monotonic", lambda: later)
    worker.held.renewals.suspect(ANNS, asked, FIRST)
    await settled(worker)
    assert control.asked == [asked, asked]


async def test_a_server_without_a_credential_starts_no_question(worker: Worker, control: Control) -> None:
    worker.held.renewals.suspect(ANNS, replace(ANN, refused_version=1), replace(FIRST, credential_headers=[]))
    assert len(worker.tasks) == 0
