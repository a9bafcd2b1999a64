from __future__ import annotations

import asyncio
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.tasks import Tasks
from proxy.caches.two_ages import REFRESHED_FROM, Aged, SourceUnreachable, TwoAgeCache
from tests.unit.proxy.caches.conftest import Clock

SOFT, HARD = 60.0, 600.0


class Source:
    """What is asked; counts, and answers with what stands in it now."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.asked = 0
        self.value: str | Exception = "value"
        self.expires = float("inf")
        self.gate = asyncio.Event()
        self.gate.set()

    async def __call__(self) -> Aged[str]:
        self.asked += 1
        value, asked = self.value, self.clock.now
        await self.gate.wait()
        if isinstance(value, Exception):
            raise value
        return Aged(value, asked, self.expires)


@pytest.fixture
def cache(clock: Clock, tasks: Tasks) -> TwoAgeCache[str]:
    return TwoAgeCache("test", size=3, soft=SOFT, hard=HARD, tasks=tasks)


@pytest.fixture
def source(clock: Clock) -> Source:
    return Source(clock)


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def asked(cache: TwoAgeCache[str], source: Source) -> asyncio.Future[list[str]]:
    """A caller whose question is under way until the source's gate is set."""
    source.gate.clear()
    waiting = asyncio.gather(cache.get("k", source))
    await settle()
    return waiting


async def test_a_young_value_is_used_without_asking(cache: TwoAgeCache[str], source: Source) -> None:
    assert await cache.get("k", source) == "value"
    assert cache.fresh("k") == "value"
    assert await cache.get("k", source) == "value"
    assert source.asked == 1


@pytest.mark.parametrize("jump", [pytest.param(3_600.0, id="F-10: a jump of 1 h")])
async def test_a_wall_clock_that_jumps_makes_nothing_older_or_younger(
    cache: TwoAgeCache[str], source: Source, clock: Clock, jump: float
) -> None:
    await cache.get("k", source)
    for by in (jump, -jump):
        with patch.object(clock, "time", lambda by=by: clock.now + by):
            assert cache.fresh("k", source) == "value"
            assert await cache.get("k", source) == "value"
    assert source.asked == 1
    clock.now += HARD + 1
    with patch.object(clock, "time", lambda: clock.now - HARD - jump):
        assert cache.fresh("k") is None


async def test_a_value_that_nears_its_soft_age_is_refreshed_off_the_path(
    cache: TwoAgeCache[str], source: Source, clock: Clock
) -> None:
    await cache.get("k", source)
    clock.now += REFRESHED_FROM[1] * SOFT + 1
    source.value = "newer"
    assert cache.fresh("k", source) == "value"
    assert cache.fresh("k", source) == "value"
    await settle()
    assert cache.fresh("k") == "newer"
    assert source.asked == 2


async def test_a_value_that_ends_before_its_soft_age_is_refreshed_in_the_middle_of_its_life(
    cache: TwoAgeCache[str], source: Source, clock: Clock
) -> None:
    lives = 40.0
    source.expires = clock.time() + lives
    await cache.get("k", source)
    clock.now += REFRESHED_FROM[0] * lives - 1
    assert cache.young("k") == "value"
    clock.now += (REFRESHED_FROM[1] - REFRESHED_FROM[0]) * lives + 2
    source.value, source.expires = "newer", clock.time() + lives
    assert (cache.young("k"), cache.fresh("k", source)) == (None, "value")
    await settle()
    assert cache.young("k") == "newer"


async def test_what_was_asked_together_is_refreshed_at_ages_of_its_own(clock: Clock, tasks: Tasks) -> None:
    cache: TwoAgeCache[str] = TwoAgeCache("test", size=200, soft=SOFT, hard=HARD, tasks=tasks)
    sources = {f"k{number}": Source(clock) for number in range(200)}
    began = clock.now
    for key, source in sources.items():
        cache.put(key, await source())
    refreshed: dict[str, float] = {}
    while clock.now - began < SOFT - 0.05:
        clock.now += 0.1
        for key in sources.keys() - refreshed.keys():
            again = Source(clock)
            assert cache.fresh(key, again) == "value"
            await asyncio.sleep(0)
            if again.asked:
                refreshed[key] = clock.now - began
    least, most = (share * SOFT for share in REFRESHED_FROM)
    assert refreshed.keys() == sources.keys()
    assert all(least <= age <= most + 0.1 for age in refreshed.values())
    assert len({round(age, 1) for age in refreshed.values()}) > 30, "of 60 moments"


@given(drawn=st.floats(0, 1), age=st.floats(0, HARD), doubted=st.booleans())
def test_whatever_is_drawn_the_soft_age_stays_the_bound(drawn: float, age: float, doubted: bool) -> None:
    ours = Clock()

    async def held() -> None:
        asked: list[int] = []

        async def ask() -> Aged[str]:
            asked.append(1)
            raise SourceUnreachable

        cache: TwoAgeCache[str] = TwoAgeCache(
            "test", size=1, soft=SOFT, hard=HARD, tasks=Tasks("test", quiet=(SourceUnreachable,))
        )
        cache.put("k", Aged("value", ours.now))
        if doubted:
            cache.doubt_all()
        ours.now += age
        young, fresh = cache.young("k"), cache.fresh("k", ask)
        await asyncio.sleep(0)
        assert (fresh == "value") == (not doubted and ours.now - began < SOFT)
        assert (young == "value") == (fresh == "value" and not asked)
        assert young is None or age <= REFRESHED_FROM[1] * SOFT + 1e-6

    began = ours.now
    drawing = patch("random.uniform", lambda least, most: least + drawn * (most - least))
    with drawing, patch("proxy.caches.two_ages.time", ours):
        asyncio.run(held())


@pytest.mark.parametrize("age", [0.0, SOFT / 2, SOFT / 2 + 1, SOFT - 1, SOFT, HARD])
@pytest.mark.parametrize("expires", [-1.0, 0.0, 1.0])
async def test_a_value_is_young_where_it_is_fresh_and_need_not_be_refreshed(
    cache: TwoAgeCache[str], source: Source, clock: Clock, age: float, expires: float
) -> None:
    source.expires = clock.now + age + expires
    cache.put("k", await source())
    clock.now += age
    young = cache.young("k")
    fresh = cache.fresh("k", source)
    await settle()
    assert young == (fresh if source.asked == 1 else None)
    assert cache.young("other") is None


async def test_refreshes_wait_for_each_other_until_a_call_waits_for_one_of_them(clock: Clock, tasks: Tasks) -> None:
    cache: TwoAgeCache[str] = TwoAgeCache("test", size=3, soft=SOFT, hard=HARD, tasks=tasks, gathered=3600)
    sources = {key: Source(clock) for key in ("a", "b", "c")}
    for key in ("a", "b"):
        cache.put(key, await sources[key]())
    clock.now += SOFT - 1
    for _ in range(3):
        for key in ("a", "b"):
            assert cache.fresh(key, sources[key]) == "value"
    await settle()
    assert await cache.get("c", sources["c"]) == "value", "a call that is cold waits for no refresh"
    assert ([source.asked for source in sources.values()], cache.refreshes) == ([1, 1, 1], 2)
    clock.now += 1
    sources["a"].value = "newer"
    assert await asyncio.wait_for(cache.get("a", sources["a"]), 30) == "newer"
    assert [source.asked for source in sources.values()] == [2, 2, 1]


@pytest.mark.parametrize("change", ["drop", "drop_where", "doubt_all"])
async def test_what_changes_while_a_refresh_waits_for_others_is_asked_after_the_change(
    clock: Clock, tasks: Tasks, source: Source, change: str
) -> None:
    cache: TwoAgeCache[str] = TwoAgeCache("test", size=3, soft=SOFT, hard=HARD, tasks=tasks, gathered=3600)
    cache.put("k", await source())
    clock.now += SOFT - 1
    assert cache.fresh("k", source) == "value"
    await settle()
    {"drop": lambda: cache.drop("k"), "drop_where": lambda: cache.drop_where(lambda *_: True)}.get(
        change, cache.doubt_all
    )()
    source.value = "after the change"
    assert cache.fresh("k") is None
    assert await cache.get("k", source) == "after the change"
    cache._window.hurry()
    await settle()
    assert cache.fresh("k") == "after the change"


async def test_a_value_that_is_used_while_young_is_not_the_first_to_go(
    cache: TwoAgeCache[str], source: Source
) -> None:
    for key in ("a", "b", "c"):
        await cache.get(key, source)
    cache.young("a")
    await cache.get("d", source)
    assert (cache.holds("a"), cache.holds("b")) == (True, False)


async def test_past_its_soft_age_the_source_is_asked_first(
    cache: TwoAgeCache[str], source: Source, clock: Clock
) -> None:
    await cache.get("k", source)
    clock.now += SOFT
    source.value = "newer"
    assert cache.fresh("k") is None
    assert await cache.get("k", source) == "newer"


async def test_an_old_value_serves_while_the_source_is_away_up_to_the_hard_age(
    cache: TwoAgeCache[str], source: Source, clock: Clock
) -> None:
    await cache.get("k", source)
    source.value = SourceUnreachable()
    clock.now += HARD - 1
    assert await cache.get("k", source) == "value"
    assert cache.stale_uses == 1
    clock.now += 1
    with pytest.raises(SourceUnreachable):
        await cache.get("k", source)


async def test_no_age_goes_beyond_the_values_own_expiry(
    cache: TwoAgeCache[str], source: Source, clock: Clock
) -> None:
    source.expires = clock.time() + 5
    await cache.get("k", source)
    assert not cache.expired("k")
    clock.now += 5
    source.value = SourceUnreachable()
    assert cache.fresh("k") is None
    assert cache.expired("k")
    with pytest.raises(SourceUnreachable):
        await cache.get("k", source)


async def test_a_source_that_is_silent_holds_nobody_up_whom_an_older_value_can_serve(
    clock: Clock, tasks: Tasks, source: Source
) -> None:
    waits = [0.001]
    cache: TwoAgeCache[str] = TwoAgeCache(
        "test", size=3, soft=SOFT, hard=HARD, tasks=tasks, patience=lambda: waits[-1]
    )
    await cache.get("k", source)
    clock.now += SOFT
    source.value = "newer"
    source.gate.clear()
    assert await cache.get("k", source) == "value"
    waits.append(0.0)
    assert await cache.get("k", source) == "value"
    assert (source.asked, cache.stale_uses) == (2, 2), "it is asked once, off the path, and the uses are counted"
    source.gate.set()
    await settle()
    assert cache.fresh("k") == "newer"


@pytest.mark.parametrize("why", ["unknown", "past the hard age", "past its expiry"])
async def test_what_nothing_older_can_serve_is_waited_for_however_silent_the_source(
    clock: Clock, tasks: Tasks, source: Source, why: str
) -> None:
    cache: TwoAgeCache[str] = TwoAgeCache("test", size=3, soft=SOFT, hard=HARD, tasks=tasks, patience=lambda: 0.0)
    if why != "unknown":
        source.expires = clock.time() + SOFT if why == "past its expiry" else float("inf")
        await cache.get("k", source)
        clock.now += HARD if why == "past the hard age" else SOFT
        source.expires = float("inf")
    source.gate.clear()
    source.value = "asked"
    with patch("proxy.caches.two_ages.PATIENCE_S", 0.001):
        waiting = asyncio.gather(cache.get("k", source))
        await asyncio.sleep(0.02)
    assert not waiting.done()
    source.gate.set()
    assert await waiting == ["asked"]


@pytest.mark.parametrize("change", ["drop", "drop_where"])
async def test_what_is_dropped_while_a_silent_source_is_asked_serves_nobody_any_more(
    clock: Clock, tasks: Tasks, source: Source, change: str
) -> None:
    cache: TwoAgeCache[str] = TwoAgeCache("test", size=3, soft=SOFT, hard=HARD, tasks=tasks, patience=lambda: 0.02)
    await cache.get("k", source)
    clock.now += SOFT
    source.gate.clear()
    source.value = PermissionError("revoked")
    waiting = asyncio.gather(cache.get("k", source), return_exceptions=True)
    await settle()
    {"drop": lambda: cache.drop("k"), "drop_where": lambda: cache.drop_where(lambda *_: True)}[change]()
    await asyncio.sleep(0.05)
    assert not waiting.done()
    source.gate.set()
    assert [str(one) for one in await waiting] == ["revoked"]


async def test_a_no_that_comes_late_ends_what_served_meanwhile(clock: Clock, tasks: Tasks, source: Source) -> None:
    cache: TwoAgeCache[str] = TwoAgeCache("test", size=3, soft=SOFT, hard=HARD, tasks=tasks, patience=lambda: 0.0)
    await cache.get("k", source)
    clock.now += SOFT
    source.gate.clear()
    source.value = PermissionError("revoked")
    assert await cache.get("k", source) == "value"
    source.gate.set()
    await settle()
    assert not cache.holds("k")


async def test_a_refusal_of_the_source_ends_what_was_held(
    cache: TwoAgeCache[str], source: Source, clock: Clock
) -> None:
    await cache.get("k", source)
    clock.now += SOFT
    source.value = PermissionError("no")
    with pytest.raises(PermissionError):
        await cache.get("k", source)
    source.value = SourceUnreachable()
    with pytest.raises(SourceUnreachable):
        await cache.get("k", source)


async def test_however_many_wait_the_source_is_asked_once(cache: TwoAgeCache[str], source: Source) -> None:
    source.gate.clear()
    waiting = asyncio.gather(*(cache.get("k", source) for _ in range(500)))
    await settle()
    source.gate.set()
    assert set(await waiting) == {"value"}
    assert source.asked == 1


async def test_one_who_stops_waiting_stops_nobody_else(cache: TwoAgeCache[str], source: Source) -> None:
    source.gate.clear()
    async with asyncio.TaskGroup() as group:
        leaving = group.create_task(cache.get("k", source))
        staying = group.create_task(cache.get("k", source))
        await settle()
        leaving.cancel()
        await settle()
        source.gate.set()
    assert staying.result() == "value"


@pytest.mark.parametrize("change", ["drop", "drop_where", "doubt_all"])
async def test_an_answer_that_a_change_overtook_is_not_held(
    cache: TwoAgeCache[str], source: Source, change: str
) -> None:
    waiting = await asked(cache, source)
    source.value = "after the change"
    {"drop": lambda: cache.drop("k"), "drop_where": lambda: cache.drop_where(lambda *_: True)}.get(
        change, cache.doubt_all
    )()
    late = asyncio.gather(cache.get("k", source))  # whoever comes after the change asks again
    await settle()
    source.gate.set()
    assert (await waiting, await late) == (["value"], ["after the change"])
    assert cache.fresh("k") == "after the change"


@pytest.mark.parametrize("change", ["drop", "drop_where"])
async def test_an_answer_that_a_change_overtook_is_not_held_though_nobody_asks_again(
    cache: TwoAgeCache[str], source: Source, change: str
) -> None:
    waiting = await asked(cache, source)
    _ = cache.drop("k") if change == "drop" else cache.drop_where(lambda key, _: key == "k")
    source.gate.set()
    assert await waiting == ["value"]
    assert not cache.holds("k")


async def test_an_answer_that_a_doubt_overtook_serves_while_nobody_answers(
    cache: TwoAgeCache[str], source: Source
) -> None:
    """Its caller was served: it is not the one who is turned away when control goes just after."""
    waiting = await asked(cache, source)
    cache.doubt_all()
    source.gate.set()
    assert await waiting == ["value"]
    assert cache.fresh("k") is None
    source.value = SourceUnreachable()
    assert await cache.get("k", source) == "value"


async def test_an_answer_that_a_change_of_others_overtook_is_held(cache: TwoAgeCache[str], source: Source) -> None:
    waiting = await asked(cache, source)
    cache.drop("another")
    assert cache.drop_where(lambda key, value: key == "another" or value == "other") == []
    source.gate.set()
    assert await waiting == ["value"]
    assert cache.fresh("k") == "value"


async def test_an_answer_from_before_a_refusal_is_not_held_whichever_comes_last(
    cache: TwoAgeCache[str], source: Source
) -> None:
    before = await asked(cache, source)
    cache.doubt_all()  # whoever comes now asks again
    refusing = Source(Clock())
    refusing.value = ValueError()
    with pytest.raises(ValueError):
        await cache.get("k", refusing)
    source.gate.set()
    assert await before == ["value"]
    assert not cache.holds("k")


async def test_a_doubted_value_is_asked_again_and_serves_if_nobody_answers(
    cache: TwoAgeCache[str], source: Source
) -> None:
    await cache.get("k", source)
    cache.doubt_all()
    source.value = SourceUnreachable()
    assert cache.fresh("k") is None
    assert await cache.get("k", source) == "value"


async def test_dropping_by_a_rule_says_which_keys_went(cache: TwoAgeCache[str], clock: Clock) -> None:
    for key in ("a", "b", "c"):
        cache.put(key, Aged(key.upper(), clock.now))
    assert cache.drop_where(lambda key, value: key == "a" or value == "C") == ["a", "c"]
    assert [key for key, _ in cache.items()] == ["b"]


async def test_the_least_recently_used_go_first(cache: TwoAgeCache[str], clock: Clock) -> None:
    for key in ("a", "b", "c"):
        cache.put(key, Aged(key, clock.now))
    cache.fresh("a")
    cache.put("d", Aged("d", clock.now))
    assert {key for key, _ in cache.items()} == {"a", "c", "d"}
    assert len(cache) == 3


async def test_an_older_value_does_not_replace_a_younger(cache: TwoAgeCache[str], clock: Clock) -> None:
    cache.put("k", Aged("younger", clock.now))
    assert cache.put("k", Aged("older", clock.now - 10)).value == "younger"
    assert cache.fresh("k") == "younger"


async def test_a_value_is_replaced_however_young_it_is(cache: TwoAgeCache[str], source: Source) -> None:
    assert await cache.get("k", source) == "value"
    source.value = "another"
    assert (await cache.replace("k", source)).value == "another"
    assert cache.fresh("k") == "another"


async def test_where_the_source_has_nothing_in_its_place_what_is_held_stays(
    cache: TwoAgeCache[str], source: Source
) -> None:
    assert await cache.get("k", source) == "value"
    for nothing in (SourceUnreachable(), PermissionError()):
        source.value = nothing
        with pytest.raises(type(nothing)):
            await cache.replace("k", source)
        assert cache.fresh("k") == "value"


async def test_what_is_dropped_while_it_is_replaced_is_not_held(cache: TwoAgeCache[str], source: Source) -> None:
    replacing = asyncio.gather(cache.replace("k", source))
    await settle()
    cache.drop("k")
    source.gate.set()
    assert [one.value for one in await replacing] == ["value"]
    assert not cache.holds("k")
