"""What a worker listens to: what control gives it, for as long as it does."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from functools import partial

import pytest
from msgspec.structs import replace

from core.egress.rules import EgressRules
from core.resolve import ResolvedInstallation
from core.tasks import Tasks
from core.watches import MOST_HELD, HeardLists, HeardTaken, WatchAnswer, WatchQuestion
from proxy.caches.two_ages import SourceUnreachable
from proxy.refusals import Refusal
from proxy.resolve.list_news import ListNews
from proxy.upstream.listened import Ears, Resolve, Wanted
from proxy.upstream.watches import COMPARED_S, EVERY_S, SOON_S, Watches
from tests.fakes.call_parts import installation
from tests.plugins.moved_clock import MovedClock

SERVER = installation()
NAME = SERVER.installation_id


class NoControl:
    """Nobody is told of news."""

    async def news_of_lists(self, heard: HeardLists) -> HeardTaken:
        raise SourceUnreachable


class News(ListNews):
    """Remembers what is noted."""

    def __init__(self) -> None:
        super().__init__(NoControl())
        self.compared: list[tuple[str, str]] = []

    def compare(self, installation_id: str, kind: str = "tools") -> None:
        self.compared.append((installation_id, kind))


@dataclass
class Scene:
    """A worker's watches, the control that gives them, and the servers."""

    answers: list[WatchAnswer | Exception] = field(default_factory=list)
    questions: list[WatchQuestion] = field(default_factory=list)
    followed: list[tuple[ResolvedInstallation, Ears]] = field(default_factory=list)
    """All that was ever listened to."""
    open: list[ResolvedInstallation] = field(default_factory=list)
    """What is listened to now."""
    refuses: Refusal | None = None
    news: News = field(default_factory=News)
    tasks: Tasks = field(default_factory=lambda: Tasks("test"))
    asked: Callable[[], None] = lambda: None
    """What happens while control is asked."""

    def __post_init__(self) -> None:
        self.watches = Watches(Control(self), self, self.news)

    async def ask(self, question: WatchQuestion) -> WatchAnswer:
        self.questions.append(question)
        self.asked()
        answer = self.answers.pop(0) if self.answers else WatchAnswer()
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def follow(self, resolve: Resolve, wanted: Wanted, ears: Ears) -> None:
        assert wanted.lists
        server = await resolve()
        if self.refuses is not None:
            raise self.refuses
        self.followed.append((server, ears))
        self.open.append(server)
        try:
            await asyncio.Event().wait()
        finally:
            self.open.remove(server)

    async def begin(self) -> None:
        _ = self.tasks.spawn("asking", self.watches.keep_asking())
        await a_while()


class Control:
    """The control of a scene."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene

    async def watches(self, question: WatchQuestion) -> WatchAnswer:
        return await self._scene.ask(question)


@pytest.fixture
async def scene() -> AsyncIterator[Scene]:
    made = Scene()
    yield made
    await made.tasks.close()
    await made.watches.leave()


async def a_while() -> None:
    """What is due happens."""
    for _ in range(20):
        await asyncio.sleep(0)


async def passed(clock: MovedClock, seconds: float) -> None:
    clock.pass_by(seconds)
    await a_while()


async def test_what_control_gives_is_listened_to_and_named_in_the_next_question(
    scene: Scene, clock: MovedClock
) -> None:
    scene.answers = [WatchAnswer([SERVER])]
    await scene.begin()
    assert scene.open == [SERVER]
    await passed(clock, EVERY_S)
    first, second = scene.questions
    assert (first.held, first.room, second.held, second.room) == (
        {},
        MOST_HELD,
        {NAME: SERVER.version},
        MOST_HELD - 1,
    )
    assert first.worker == second.worker
    assert len(scene.watches) == 1


async def test_while_control_is_away_all_goes_on(scene: Scene, clock: MovedClock) -> None:
    scene.answers = [WatchAnswer([SERVER]), SourceUnreachable()]
    await scene.begin()
    await passed(clock, EVERY_S)
    assert scene.open == [SERVER]


async def test_what_has_ended_is_left(scene: Scene, clock: MovedClock) -> None:
    scene.answers = [WatchAnswer([SERVER]), WatchAnswer(ended=[NAME])]
    await scene.begin()
    await passed(clock, EVERY_S)
    assert (scene.open, len(scene.watches)) == ([], 0)


async def test_a_newer_version_takes_the_place_of_the_older(scene: Scene, clock: MovedClock) -> None:
    newer = replace(SERVER, version=SERVER.version + 1)
    scene.answers = [WatchAnswer([SERVER]), WatchAnswer([newer])]
    await scene.begin()
    await passed(clock, EVERY_S)
    assert scene.open == [newer]


async def test_a_change_of_what_is_listened_to_is_asked_about_at_once_and_no_other(
    scene: Scene, clock: MovedClock
) -> None:
    scene.answers = [WatchAnswer([SERVER])]
    await scene.begin()
    scene.watches.forget_installation("another")
    await a_while()
    await passed(clock, SOON_S)
    assert len(scene.questions) == 1
    scene.watches.forget_installation(NAME)
    await a_while()
    await passed(clock, SOON_S)
    assert len(scene.questions) == 2


async def test_what_changed_in_another_way_than_its_version_is_listened_to_as_it_is_now(
    scene: Scene, clock: MovedClock
) -> None:
    now = replace(SERVER, egress=EgressRules("off"))
    scene.answers = [WatchAnswer([SERVER]), SourceUnreachable(), WatchAnswer(), WatchAnswer([now])]
    await scene.begin()
    scene.watches.forget_installation(NAME)
    for _ in range(4):
        await passed(clock, SOON_S)
        await passed(clock, EVERY_S)
    assert [one.held for one in scene.questions[1:5]] == [{NAME: 0}] * 3 + [{NAME: SERVER.version}]
    assert (scene.open, len(scene.followed)) == ([now], 2)


async def test_where_news_were_missed_all_that_is_listened_to_is_asked_about_whatever_its_version(
    scene: Scene, clock: MovedClock
) -> None:
    now = replace(SERVER, egress=EgressRules("off"))
    scene.answers = [WatchAnswer([SERVER]), SourceUnreachable(), WatchAnswer([now])]
    await scene.begin()
    scene.watches.doubt()
    for _ in range(3):
        await passed(clock, SOON_S)
        await passed(clock, EVERY_S)
    assert [one.held for one in scene.questions[1:4]] == [{NAME: 0}] * 2 + [{NAME: SERVER.version}]
    assert (scene.open, len(scene.followed)) == ([now], 2)


@pytest.mark.parametrize("missed", [False, True], ids=["as is told", "as may have been missed"])
async def test_one_that_changes_while_it_is_given_is_asked_about_again(
    scene: Scene, clock: MovedClock, missed: bool
) -> None:
    now = replace(SERVER, egress=EgressRules("off"))
    scene.answers = [WatchAnswer([SERVER]), WatchAnswer([now])]
    scene.asked = scene.watches.doubt if missed else partial(scene.watches.forget_installation, NAME)
    await scene.begin()
    scene.asked = lambda: None
    assert scene.open == [SERVER]
    await passed(clock, SOON_S)
    assert [one.held for one in scene.questions] == [{}, {NAME: 0}]
    assert scene.open == [now]


async def test_what_is_given_as_it_is_listened_to_goes_on(scene: Scene, clock: MovedClock) -> None:
    scene.answers = [WatchAnswer([SERVER]), WatchAnswer([replace(SERVER)])]
    await scene.begin()
    await passed(clock, EVERY_S)
    assert (scene.open, len(scene.followed)) == ([SERVER], 1)


async def test_a_server_that_does_not_say_what_changes_is_told_to_control(scene: Scene, clock: MovedClock) -> None:
    scene.refuses = Refusal("no_news", server="crm")
    scene.answers = [WatchAnswer([SERVER]), SourceUnreachable()]
    await scene.begin()
    assert len(scene.watches) == 0
    await passed(clock, EVERY_S)
    await passed(clock, EVERY_S)
    await passed(clock, EVERY_S)
    assert [one.silent for one in scene.questions] == [[], [NAME], [NAME], []]


async def test_one_whose_credential_has_ended_is_given_back_for_another(scene: Scene, clock: MovedClock) -> None:
    scene.refuses = Refusal("upstream_credential", server="crm")
    scene.answers = [WatchAnswer([replace(SERVER, expires_at=time.time() - 1)])]
    await scene.begin()
    await passed(clock, EVERY_S)
    assert [(one.held, one.silent) for one in scene.questions] == [({}, []), ({}, [])]


async def test_news_of_lists_are_noted_and_others_are_not(scene: Scene) -> None:
    scene.answers = [WatchAnswer([SERVER])]
    await scene.begin()
    ((_, ears),) = scene.followed
    for what in ("tools/list_changed", "prompts/list_changed", "resources/list_changed", "resources/updated"):
        ears.hear(f"notifications/{what}", {})
    assert scene.news.compared == [(NAME, "tools"), (NAME, "prompts"), (NAME, "resources")]


async def test_whenever_it_stands_again_tools_are_compared_but_not_again_and_again(
    scene: Scene, clock: MovedClock
) -> None:
    scene.answers = [WatchAnswer([SERVER])]
    await scene.begin()
    ((_, ears),) = scene.followed
    for after in (0.0, 1.0, COMPARED_S, 1.0):
        clock.pass_by(after)
        ears.stands(frozenset())
    assert (scene.news.compared, scene.news.noted) == ([(NAME, "tools")] * 2, 0)


async def test_a_worker_that_leaves_gives_all_back(scene: Scene) -> None:
    scene.answers = [WatchAnswer([SERVER])]
    await scene.begin()
    await scene.tasks.close()
    await scene.watches.leave()
    assert scene.open == []
    assert (scene.questions[-1].held, scene.questions[-1].room) == ({}, 0)
