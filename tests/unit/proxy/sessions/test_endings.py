from __future__ import annotations

import asyncio
import contextlib

import pytest

from core.tasks import Tasks
from proxy.limits.streams import Streams
from proxy.sessions import endings
from proxy.sessions.endings import Endings
from proxy.sessions.mailbox import Letter
from proxy.sessions.sealed import Session

ENDED = [Session(f"{number:032x}", "2025-11-25", 0, 0) for number in range(3)]


class Sessions:
    """Notes what ends; `buries` and `looks` say whether Redis takes a tombstone and tells of them."""

    def __init__(self, told: list[object]) -> None:
        self.told = told
        self.here: list[str] = []
        self.buries = True
        self.looks = True
        self.looked_for: list[list[str]] = []
        self.seen = True

    def forget_seen(self) -> None:
        self.seen = False

    async def look_for(self, jtis: list[str]) -> bool:
        self.looked_for.append(jtis)
        return self.looks

    def end_here(self, jti: str) -> None:
        self.here.append(jti)

    async def bury(self, session: Session) -> bool:
        if self.buries:
            self.told.append(session)
        return self.buries


class Mailbox:
    """Notes what is sent; `posts` says whether it can be."""

    def __init__(self, told: list[object]) -> None:
        self.told = told
        self.posts = True

    async def post(self, letter: Letter) -> bool:
        if self.posts:
            self.told.append(letter)
        return self.posts


class Parts:
    def __init__(self) -> None:
        self.told: list[object] = []
        self.sessions, self.mailbox = Sessions(self.told), Mailbox(self.told)
        self.streams = Streams()
        self.endings = Endings(self.sessions, self.mailbox, self.streams)  # type: ignore[arg-type]  # fakes


@pytest.fixture
def parts(monkeypatch: pytest.MonkeyPatch) -> Parts:
    monkeypatch.setattr(endings, "_RETRY_S", 0.01)
    return Parts()


async def told_later(parts: Parts, most: int) -> list[object]:
    """What is told in the background, up to so many."""
    tasks = Tasks("test")
    telling = tasks.spawn("endings", parts.endings.keep_up())
    async with asyncio.timeout(30):
        while len(parts.told) < most:  # noqa: ASYNC110 - what is told is a list
            await asyncio.sleep(0.005)
    await asyncio.sleep(0.03)
    assert not telling.done()
    await tasks.close()
    return parts.told


def of(*sessions: Session) -> list[object]:
    """The tombstone and then the letter of each."""
    return [one for session in sessions for one in (session, Letter("ended", session.jti))]


async def test_a_session_is_over_here_then_buried_then_told(parts: Parts) -> None:
    await parts.endings.end(ENDED[0])
    assert parts.sessions.here == [ENDED[0].jti]
    assert parts.told == of(ENDED[0])
    assert await told_later(parts, 2) == of(ENDED[0]), "once is enough"


async def test_while_redis_is_away_it_is_over_here_and_told_when_redis_is_back(parts: Parts) -> None:
    parts.sessions.buries = False
    for session in ENDED:
        await parts.endings.end(session)
    assert parts.sessions.here == [session.jti for session in ENDED]
    assert parts.told == [], "no letter before its tombstone"
    parts.sessions.buries = True
    assert await told_later(parts, 6) == of(*ENDED)


async def test_an_end_whose_letter_was_lost_is_told_again(parts: Parts) -> None:
    parts.mailbox.posts = False
    await parts.endings.end(ENDED[0])
    assert parts.told == [ENDED[0]]
    parts.mailbox.posts = True
    assert await told_later(parts, 3) == [ENDED[0], *of(ENDED[0])]


async def test_while_redis_stays_away_one_end_is_tried_at_a_time(parts: Parts) -> None:
    parts.mailbox.posts = False
    for session in ENDED:
        await parts.endings.end(session)
    parts.told.clear()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await parts.endings.keep_up()
    assert {id(one) for one in parts.told} == {id(ENDED[0])}


async def kept_up(parts: Parts, seconds: float = 0.1) -> None:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await parts.endings.keep_up()


async def test_after_missed_letters_the_sessions_of_open_streams_are_looked_for_once(parts: Parts) -> None:
    assert parts.streams.open("a", "user:1", most=8)
    await kept_up(parts)
    assert parts.sessions.looked_for == [], "nothing was missed"
    parts.endings.doubt()
    assert not parts.sessions.seen
    await kept_up(parts)
    assert parts.sessions.looked_for == [["a"]]


async def test_they_are_looked_for_again_while_redis_is_away(parts: Parts) -> None:
    parts.sessions.looks = False
    parts.endings.doubt()
    await kept_up(parts)
    assert len(parts.sessions.looked_for) > 1


async def test_what_is_owed_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(endings, "_MOST_OWED", 2)
    parts = Parts()
    parts.sessions.buries = False
    for session in ENDED:
        await parts.endings.end(session)
    assert parts.endings._owed.values() == ENDED[1:]
