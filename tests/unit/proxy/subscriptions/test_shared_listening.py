"""Listening to one server for several callers: who is told, when it begins and ends, and its bounds."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from msgspec.structs import replace

from core.egress.rules import EgressRules
from core.resolve import ResolvedInstallation
from core.tasks import Tasks
from proxy.refusals import Refusal
from proxy.subscriptions import shared_listening
from proxy.subscriptions.shared_listening import Hold, SharedListening
from proxy.upstream.listened import Ears, Resolve, Wanted

UPDATED = "notifications/resources/updated"
CRM = ResolvedInstallation("i", "e", "crm", "organisation", "remote", "http://crm", 1)


class FakeListening:
    """Remembers who listens for what; a test says what the server does."""

    def __init__(self) -> None:
        self.ears: list[Ears] = []
        self.wanted: list[Wanted] = []
        self.resolves: list[Resolve] = []
        self.ends: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def follow(self, resolve: Resolve, wanted: Wanted, ears: Ears) -> None:
        self.resolves.append(resolve)
        self.wanted.append(wanted)
        self.ears.append(ears)
        await self.ends


class Parts:
    def __init__(self, tasks: Tasks) -> None:
        self.listening = FakeListening()
        self.shared = SharedListening(self.listening, tasks)  # type: ignore[arg-type]  # as far as it is used
        self.told: list[str] = []

    def hold(self, uri: str = "a://1", *, key: str = "crm/1/user:a", principal: str = "user:a") -> Hold:
        async def resolve() -> ResolvedInstallation:
            return CRM

        return self.shared.hold(key, CRM, uri, principal, resolve, self.told.append)

    async def stood(self, *uris: str) -> Ears:
        await turns()
        self.listening.ears[-1].stands(frozenset(uris))
        return self.listening.ears[-1]


@pytest.fixture
async def parts(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Parts]:
    monkeypatch.setattr(shared_listening, "GATHERED_S", 0)
    tasks = Tasks("test")
    yield Parts(tasks)
    await tasks.close()


async def turns() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


async def news(ears: Ears, *uris: Any, method: str = UPDATED) -> None:
    for uri in uris:
        ears.hear(method, {"uri": uri})
    await asyncio.sleep(0.01)


async def test_all_who_share_a_server_are_told_and_it_is_listened_to_once(parts: Parts) -> None:
    parts.hold()
    parts.hold(principal="user:b")
    ears = await parts.stood("a://1")
    await news(ears, "a://1")
    assert parts.told == ["a://1"] * 2
    assert len(parts.listening.ears) == len(parts.shared) == 1


async def test_it_is_known_whose_servers_are_listened_to_where_a_policy_allows_it(
    parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    parts.hold()
    await turns()
    assert parts.shared.held_to_policies() == set()
    monkeypatch.setitem(globals(), "CRM", replace(CRM, egress=EgressRules("off")))
    await parts.listening.resolves[-1]()
    assert parts.shared.held_to_policies() == {"i"}


async def test_who_may_not_share_is_listened_for_apart(parts: Parts) -> None:
    parts.hold()
    parts.hold(key="crm/1/user:b")
    await turns()
    assert len(parts.listening.ears) == len(parts.shared) == 2


async def test_news_of_one_resource_in_a_short_time_is_told_once(parts: Parts) -> None:
    parts.hold()
    await news(await parts.stood("a://1"), "a://1", "a://1", "a://1")
    assert parts.told == ["a://1"]


@pytest.mark.parametrize(
    ("held", "told", "is_news"),
    [
        ("a://1", "a://1", True),
        ("a://1", "a://1/part", True),
        ("a://1", "a://1#part", True),
        ("a://1", "a://1?part", True),
        ("a://1/", "a://1/part", True),
        ("a://1", "a://11", False),
        ("a://1", "a://", False),
        ("a://1", "b://1", False),
        ("a://1", 7, False),
        ("a://1", None, False),
    ],
)
async def test_the_resource_and_its_parts_are_told_of(parts: Parts, held: str, told: Any, is_news: bool) -> None:
    parts.hold(held)
    await news(await parts.stood(held), told)
    assert parts.told == ([told] if is_news else [])


async def test_a_part_with_a_very_long_uri_is_not_told_of(parts: Parts) -> None:
    """A server may fill an event with it, and many events at once."""
    parts.hold()
    await news(await parts.stood("a://1"), "a://1/" + "p" * shared_listening.LONGEST_PART)
    assert parts.told == []


async def test_what_was_subscribed_to_is_told_of_in_a_flood_of_parts(parts: Parts) -> None:
    parts.hold()
    flood = [f"b://{number}" for number in range(shared_listening.MOST_OF_SERVER)]
    await news(await parts.stood("a://1"), *flood, "a://1")
    assert parts.told == ["a://1"]


async def test_news_of_something_else_is_none(parts: Parts) -> None:
    parts.hold()
    await news(await parts.stood("a://1"), "a://1", method="notifications/resources/list_changed")
    assert parts.told == []


async def test_a_hold_stands_when_the_server_has_said_so(parts: Parts) -> None:
    hold = parts.hold()
    async with asyncio.TaskGroup() as group:
        waits = group.create_task(hold.stands())
        await turns()
        assert not waits.done()
        await parts.stood("a://1")
    await parts.hold().stands()  # one more is answered at once


async def test_a_hold_that_the_server_refuses_says_why(parts: Parts) -> None:
    hold, other = parts.hold(), parts.hold("a://2")
    await parts.stood("a://2")
    parts.listening.ears[-1].refused("a://1", Refusal("no_news", server="crm"))
    with pytest.raises(Refusal, match="no_news"):
        await hold.stands()
    await other.stands()


async def test_a_server_that_cannot_be_listened_to_refuses_all(parts: Parts) -> None:
    holds = [parts.hold(), parts.hold("a://2")]
    await turns()
    parts.listening.ends.set_exception(Refusal("no_news", server="crm"))
    for hold in holds:
        with pytest.raises(Refusal, match="no_news"):
            await hold.stands()
    with pytest.raises(Refusal, match="no_news"):  # until it is asked again
        await parts.hold().stands()
    assert len(parts.listening.ears) == 1


async def test_a_server_that_says_nothing_is_slow(parts: Parts, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shared_listening, "STANDS_S", 0.01)
    with pytest.raises(Refusal, match="upstream_slow"):
        await parts.hold().stands()


async def test_after_an_interruption_everybody_is_told_to_look(parts: Parts) -> None:
    parts.hold()
    ears = await parts.stood("a://1")
    assert parts.told == []
    ears.away()
    ears.stands(frozenset({"a://1"}))
    assert parts.told == ["a://1"]


async def test_what_nobody_wants_lingers_and_is_then_left(parts: Parts, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shared_listening, "LINGER_S", 0.02)
    hold, other = parts.hold(), parts.hold("a://2")
    await parts.stood("a://1", "a://2")
    hold.release()
    hold.release()
    assert parts.listening.wanted[-1].uris == {"a://1", "a://2"}
    await asyncio.sleep(0.05)
    assert parts.listening.wanted[-1].uris == {"a://2"}
    other.release()
    await asyncio.sleep(0.05)
    assert len(parts.shared) == 0


async def test_what_lingers_is_taken_up_again(parts: Parts, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shared_listening, "LINGER_S", 0.02)
    parts.hold().release()
    await parts.stood("a://1")
    await parts.hold().stands()
    await asyncio.sleep(0.05)
    assert parts.listening.wanted[-1].uris == {"a://1"}
    assert len(parts.listening.ears) == 1


async def test_the_credential_is_of_one_who_still_listens(parts: Parts) -> None:
    async def gone() -> ResolvedInstallation:
        raise AssertionError("its holder has left")

    first = parts.shared.hold("crm/1/*", CRM, "a://1", "user:b", gone, parts.told.append)
    parts.hold(key="crm/1/*")
    first.release()
    await turns()
    assert await parts.listening.resolves[0]() is CRM


async def test_a_changed_installation_ends_what_is_listened_to_with_it(parts: Parts) -> None:
    parts.hold()
    await turns()
    parts.shared.forget_installation("another")
    assert len(parts.shared) == 1
    parts.shared.forget_installation("i")
    assert len(parts.shared) == 0


async def test_who_waits_while_the_installation_changes_is_told_to_ask_again(parts: Parts) -> None:
    hold = parts.hold()
    await turns()
    parts.shared.forget_installation("i")
    with pytest.raises(Refusal, match="subscriptions_away"):
        await hold.stands()


async def test_a_part_of_several_that_are_held_is_told_to_each(parts: Parts) -> None:
    for uri in ("a://1", "a://1/", "a://1/2", "a://1/2/3"):
        parts.hold(uri)
    await news(await parts.stood("a://1", "a://1/", "a://1/2", "a://1/2/3"), "a://1/2")
    assert parts.told == ["a://1/2"] * 3


async def test_a_caller_has_a_quarter_of_all_places(parts: Parts, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shared_listening, "MOST_HOLDS", 8)
    hold, _ = parts.hold(), parts.hold()
    with pytest.raises(Refusal, match="too_many_subscriptions"):
        parts.hold()
    parts.hold(principal="user:b")
    hold.release()
    parts.hold()


async def test_a_server_is_listened_to_for_so_many_resources(parts: Parts, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shared_listening, "MOST_OF_SERVER", 2)
    parts.hold("a://1")
    parts.hold("a://2")
    with pytest.raises(Refusal, match="too_many_subscriptions"):
        parts.hold("a://3")
    parts.hold("a://2")


async def test_a_server_is_asked_again_about_a_resource_that_it_refused(parts: Parts) -> None:
    first = parts.hold()
    await turns()
    (wanted,) = parts.listening.wanted
    wanted.changed.clear()  # as whoever listens does before it asks
    parts.listening.ears[-1].refused("a://1", Refusal("no_news", server="crm"))
    with pytest.raises(Refusal):
        await first.stands()
    first.release()
    again = parts.hold()
    assert wanted.changed.is_set()
    await parts.stood("a://1")
    await again.stands()


async def test_what_lingers_keeps_its_callers_place(parts: Parts, monkeypatch: pytest.MonkeyPatch) -> None:
    """Or who subscribes and leaves at once would have any number of servers listened to."""
    monkeypatch.setattr(shared_listening, "MOST_HOLDS", 8)
    for number in range(2):
        parts.hold(key=f"crm/1/session:{number}").release()
    with pytest.raises(Refusal, match="too_many_subscriptions"):
        parts.hold(key="crm/1/session:2")
    parts.hold(key="crm/1/session:0", principal="user:b")
    parts.hold(key="crm/1/session:2")  # somebody else has taken the first up
    parts.shared.forget_installation("i")
    for number in range(2):
        parts.hold(key=f"crm/2/session:{number}", principal="user:c")
    assert len(parts.shared) == 2
