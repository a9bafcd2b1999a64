"""News of lists on the way to control: at once, then together, and again where control was not there."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from core.tasks import Tasks
from core.watches import MOST_TOLD, HeardLists, HeardTaken, ListKind
from proxy.caches.two_ages import SourceUnreachable
from proxy.resolve import list_news
from proxy.resolve.control_client import ListsUnknown
from proxy.resolve.list_news import AGAIN_S, ListNews
from tests.plugins.moved_clock import MovedClock

GAP_S = 16.0
"""Here: longer than the slowest machine needs for what must happen before it is over."""


class Told:
    """Control: fails as it is made to, and remembers."""

    def __init__(self) -> None:
        self.faults: list[Exception] = []
        self.messages: list[dict[str, set[ListKind]]] = []
        self.asked = 0

    async def news_of_lists(self, heard: HeardLists) -> HeardTaken:
        self.asked += 1
        if self.faults:
            raise self.faults.pop(0)
        self.messages.append(heard.lists)
        return HeardTaken(len(heard.lists))


@pytest.fixture
async def told() -> Told:
    return Told()


@pytest.fixture
async def news(told: Told, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[ListNews]:
    monkeypatch.setattr(list_news, "GAP_S", GAP_S)
    tasks, made = Tasks("test"), ListNews(told)
    _ = tasks.spawn("telling", made.keep_telling())
    yield made
    await tasks.close()


async def a_while() -> None:
    """What is due happens."""
    for _ in range(10):
        await asyncio.sleep(0)


async def test_the_first_news_are_told_at_once_and_what_follows_together(
    news: ListNews, told: Told, clock: MovedClock
) -> None:
    news.note("i", "tools")
    await a_while()
    assert told.messages == [{"i": {"tools"}}]
    for _ in range(1_000):
        news.note("i", "tools")
    news.note("i", "prompts")
    news.note("j", "resources")
    await a_while()
    assert len(told.messages) == 1
    clock.pass_by(GAP_S)
    await a_while()
    assert told.messages[1:] == [{"i": {"tools", "prompts"}, "j": {"resources"}}]
    assert news.noted == 1_003


async def test_what_control_could_not_be_told_is_told_later_with_what_came_since(
    news: ListNews, told: Told, clock: MovedClock
) -> None:
    told.faults = [SourceUnreachable()]
    news.note("i", "tools")
    await a_while()
    news.note("i", "prompts")
    clock.pass_by(AGAIN_S)
    await a_while()
    clock.pass_by(GAP_S)
    await a_while()
    assert (told.messages, news.noted) == ([{"i": {"tools", "prompts"}}], 2)


async def test_a_control_that_knows_of_no_news_is_not_told_them_again(
    news: ListNews, told: Told, clock: MovedClock
) -> None:
    told.faults = [ListsUnknown()]
    news.note("i", "tools")
    await a_while()
    clock.pass_by(AGAIN_S + GAP_S)
    await a_while()
    assert (told.asked, told.messages) == (1, [])


async def test_no_more_servers_are_noted_than_a_message_holds(news: ListNews, told: Told) -> None:
    for number in range(MOST_TOLD + 10):
        news.note(str(number), "tools")
    await a_while()
    assert [len(one) for one in told.messages] == [MOST_TOLD]


async def test_what_may_have_been_missed_is_no_news_of_a_server(news: ListNews, told: Told) -> None:
    news.compare("i")
    await a_while()
    assert (told.messages, news.noted) == ([{"i": {"tools"}}], 0)
