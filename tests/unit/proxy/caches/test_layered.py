from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any
from unittest.mock import patch

import pytest

from proxy.caches.disk_copy import Kept
from proxy.caches.layered import LayeredCache
from proxy.caches.two_ages import Aged, SourceUnreachable
from tests.unit.proxy.caches.conftest import HARD, SOFT, Clock, Control, MemoryRedis


class Disk(dict[str, dict[str, Kept]]):
    def write(self, name: str, values: dict[str, Kept]) -> bool:
        self[name] = values
        return True

    def read(self, name: str) -> dict[str, Kept]:
        return dict(self.get(name, {}))


def save(cache: LayeredCache[str], disk: Any) -> None:
    write = cache.pending_write(disk)
    assert write is not None
    write()


async def test_another_workers_copy_spares_a_question(worker: Any, control: Control) -> None:
    assert await worker().get("k", control) == "value"
    assert await worker().get("k", control) == "value"
    assert control.known == [False]


async def test_a_copy_past_its_soft_age_is_only_a_last_resort(worker: Any, control: Control, clock: Clock) -> None:
    await worker().get("k", control)
    clock.now += SOFT
    control.value = "newer"
    assert await worker().get("k", control) == "newer"
    clock.now += SOFT
    control.value = SourceUnreachable()
    last = worker()
    assert await last.get("k", control) == "newer"
    assert last.memory.stale_uses >= 1


async def test_what_a_worker_before_us_knew_serves_while_all_is_down_up_to_the_hard_age(
    worker: Any, control: Control, redis: MemoryRedis, clock: Clock
) -> None:
    before, disk = worker(), Disk()
    await before.get("k", control)
    save(before, disk)
    redis.away, control.value = True, SourceUnreachable()

    clock.now += HARD - 1
    after = worker()
    after.load(disk)
    assert await after.get("k", control) == "value"
    with pytest.raises(SourceUnreachable):
        await after.get("unknown", control)

    clock.now += 1
    too_late = worker()
    too_late.load(disk)
    with pytest.raises(SourceUnreachable):
        await too_late.get("k", control)


@pytest.mark.parametrize("asked_for", [[], ["a"], ["a", "b", "c"]])
async def test_what_nobody_asked_for_since_the_start_is_in_the_next_copy_too(
    worker: Any, control: Control, redis: MemoryRedis, asked_for: list[str]
) -> None:
    """A worker that lives on its copy while all is down, and serves few of its callers, loses none of them."""
    first, disk = worker(), Disk()
    for key in ("a", "b", "c"):
        await first.get(key, control)
    save(first, disk)
    redis.away, control.value = True, SourceUnreachable()
    for _ in range(3):
        later = worker()
        later.load(disk)
        for key in asked_for:
            assert await later.get(key, control) == "value"
        disk.clear()
        save(later, disk)
    assert set(disk["test"]) == {"a", "b", "c"}


async def test_what_was_read_from_disk_goes_from_the_copy_past_its_hard_age_and_when_it_is_dropped(
    worker: Any, control: Control, clock: Clock
) -> None:
    first, disk = worker(), Disk()
    for key in ("a", "b"):
        await first.get(key, control)
    save(first, disk)
    later = worker()
    later.load(disk)
    await later.drop("a")
    save(later, disk)
    assert set(disk["test"]) == {"b"}
    clock.now += HARD
    later.memory.changes += 1
    save(later, disk)
    assert disk["test"] == {}


async def test_the_copy_holds_no_more_than_the_memory_would_and_then_the_newest(
    worker: Any, control: Control, clock: Clock
) -> None:
    disks = []
    for start in (0, 8):
        one = worker()
        for number in range(start, start + 8):
            await one.get(f"k{number}", control)
            clock.now += 1
        disks.append(Disk())
        save(one, disks[-1])
    heir, both = worker(), Disk(test=disks[0]["test"] | disks[1]["test"])
    heir.load(both)
    await heir.get("k3", control)
    save(heir, both)
    assert list(both["test"]) == ["k3", *(f"k{number}" for number in range(15, 6, -1))]


async def test_what_is_on_disk_is_asked_about_before_it_is_used_however_young(
    worker: Any, control: Control, redis: MemoryRedis
) -> None:
    """It may have been revoked while no worker was there to hear of it."""
    before, disk = worker(), Disk()
    await before.get("k", control)
    save(before, disk)
    redis.values.clear()
    after = worker()
    after.load(disk)
    control.value = PermissionError("revoked")
    with pytest.raises(PermissionError):
        await after.get("k", control)
    assert control.known == [False, True], "and is no stranger"
    control.value = SourceUnreachable()
    with pytest.raises(SourceUnreachable):
        await after.get("k", control)


@pytest.mark.parametrize("where", ["disk", "redis"])
async def test_a_control_that_is_silent_holds_nobody_up_whom_a_copy_can_serve(
    worker: Any, control: Control, redis: MemoryRedis, clock: Clock, where: str
) -> None:
    before, disk = worker(), Disk()
    await before.get("k", control)
    save(before, disk)
    clock.now += SOFT
    redis.away = where == "disk"
    after = worker(patience=lambda: 0.0)
    if where == "disk":
        after.load(disk)
    control.gate = asyncio.Event()
    control.value = "newer"
    assert await after.get("k", control) == "value"
    assert await after.get("k", control) == "value"
    control.gate.set()
    await control.asked.wait()
    for _ in range(5):
        await asyncio.sleep(0)
    assert after.memory.fresh("k") == "newer", "it was asked off the path"


async def test_a_dropped_value_is_gone_from_memory_redis_and_disk(
    worker: Any, control: Control, redis: MemoryRedis
) -> None:
    here, disk = worker(), Disk()
    await here.get("k", control)
    await here.get("other", control)
    save(here, disk)
    here.load(disk)
    await here.drop("k")
    await here.drop_where(lambda key, value: key == "other")
    assert redis.values == {}
    control.value = SourceUnreachable()
    for key in ("k", "other"):
        with pytest.raises(SourceUnreachable):
            await here.get(key, control)


async def test_a_no_of_the_source_removes_every_copy(
    worker: Any, control: Control, redis: MemoryRedis, clock: Clock
) -> None:
    await worker().get("k", control)
    clock.now += SOFT
    control.value = PermissionError("revoked")
    with pytest.raises(PermissionError):
        await worker().get("k", control)
    assert redis.values == {}


async def test_a_strangers_no_touches_nothing(worker: Any, control: Control, redis: MemoryRedis) -> None:
    control.value = PermissionError("unknown")
    with pytest.raises(PermissionError):
        await worker().get("k", control)
    assert redis.asked == ["get"]


async def test_an_answer_that_a_change_overtook_leaves_no_copy(
    worker: Any, control: Control, redis: MemoryRedis
) -> None:
    here = worker()
    control.gate = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        asking = group.create_task(here.get("k", control))
        await control.asked.wait()
        await here.drop("k")
        control.gate.set()
    assert asking.result() == "value"
    assert redis.values == {}


async def test_a_copy_from_before_a_change_is_not_believed_whoever_wrote_it(
    worker: Any, control: Control, clock: Clock
) -> None:
    """Another worker asked before the change and wrote after control had removed the copy."""
    here, there = worker(), worker()
    await there.get("k", control)
    clock.now += 1
    with patch.object(here._copy, "forget"):
        await here.drop_where(lambda key, value: value == "value")
    control.value = "changed"
    assert await here.get("k", control) == "changed"
    assert control.known == [False, True]


async def test_a_change_of_something_else_takes_no_copy_away(worker: Any, control: Control, clock: Clock) -> None:
    here = worker()
    await worker().get("k", control)
    clock.now += 1
    await here.drop("other")
    assert await here.get("k", control) == "value"
    assert len(control.known) == 1


async def test_beyond_so_many_changes_every_older_copy_is_doubted(
    worker: Any, control: Control, clock: Clock
) -> None:
    here = worker()
    await worker().get("k", control)
    for number in range(600):
        await here.drop(f"other {number}")
    control.value = "asked again"
    assert await here.get("k", control) == "asked again"
    assert len(here._changes) <= 512


async def test_who_was_known_is_no_stranger_after_a_change(worker: Any, control: Control) -> None:
    here = worker()
    await here.get("k", control)
    await here.drop("k")
    await here.get("k", control)
    assert control.known == [False, True]


async def test_the_memory_of_who_was_known_is_bounded(worker: Any, control: Control) -> None:
    with patch("proxy.caches.layered._ONCE_KNOWN", 3):
        here = worker()
    for number in range(10):
        await here.get(f"k{number}", control)
    assert len(here._once_known) == 3


async def test_the_disk_is_written_only_after_a_change(worker: Any, control: Control) -> None:
    here, disk = worker(), Disk()
    assert here.pending_write(disk) is None
    await here.get("k", control)
    save(here, disk)
    assert here.pending_write(disk) is None
    here.memory.doubt_all()  # its age is another
    save(here, disk)
    await here.drop("k")
    save(here, disk)
    assert disk == {"test": {}}


async def test_what_could_not_be_written_is_written_next_time(worker: Any, control: Control) -> None:
    here, full = worker(), Disk()
    full.write = lambda name, values: False  # type: ignore[method-assign]
    await here.get("k", control)
    save(here, full)
    save(here, Disk())


async def test_a_value_is_sealed_once_for_the_disk_and_again_only_when_it_has_changed(
    worker: Any, control: Control, clock: Clock
) -> None:
    here, disk = worker(), Disk()
    await here.get("k", control)
    save(here, disk)
    first = disk["test"]["k"]
    await here.get("other", control)
    save(here, disk)
    assert disk["test"]["k"] is first
    clock.now += SOFT
    await here.get("k", control)
    save(here, disk)
    assert disk["test"]["k"] != first


async def test_the_copy_for_the_disk_is_made_at_once_and_what_comes_later_is_not_in_it(
    worker: Any, control: Control
) -> None:
    here, disk = worker(), Disk()
    await here.get("k", control)
    write = here.pending_write(disk)
    await here.get("other", control)
    write()
    assert list(disk["test"]) == ["k"]
    assert here.pending_write(disk) is not None


async def begun_anew(worker: Any, control: Control) -> tuple[LayeredCache[str], Disk]:
    """A worker that has just read `a`, `b` and `c` from disk, and the disk."""
    before, disk = worker(), Disk()
    for key in ("a", "b", "c"):
        control.value = f"value of {key}"
        await before.get(key, control)
    save(before, disk)
    after = worker()
    after.load(disk)
    return after, disk


@pytest.mark.parametrize(("changes", "opened"), [(1, 0), (20, 0), (511, 0), (512, 3), (1023, 3), (1024, 6)])
async def test_a_change_opens_nothing_that_nobody_asks_for_until_there_are_too_many(
    worker: Any, control: Control, changes: int, opened: int
) -> None:
    after, _ = await begun_anew(worker, control)
    with patch.object(after._form, "open", wraps=after._form.open) as opens:
        for _ in range(changes):
            await after.drop_where(lambda key, value: False)
    assert opens.call_count == opened


@pytest.mark.parametrize("concerns", [lambda key, _: key == "a", lambda _, value: value == "value of a"])
@pytest.mark.parametrize("later", [0, 20, 511, 600])
@pytest.mark.parametrize("written", [False, True])
async def test_what_a_change_concerned_is_never_recalled_from_disk_however_long_ago_it_was(
    worker: Any, control: Control, redis: MemoryRedis, clock: Clock, concerns: Any, later: int, written: bool
) -> None:
    after, disk = await begun_anew(worker, control)
    redis.away, control.value = True, SourceUnreachable()
    await after.drop_where(concerns)
    if written:
        save(after, disk)
    for _ in range(later):
        clock.now += SOFT / 100
        await after.drop_where(lambda key, value: False)
    with pytest.raises(SourceUnreachable):
        await after.get("a", control)
    assert await after.get("b", control) == "value of b"


@pytest.mark.parametrize("again", [False, True])
async def test_what_a_change_concerned_is_not_handed_to_the_next_worker(
    worker: Any, control: Control, again: bool
) -> None:
    after, disk = await begun_anew(worker, control)
    await after.drop_where(lambda key, _: key == "a")
    save(after, disk)
    assert set(disk["test"]) == {"b", "c"}
    await after.drop_where(lambda key, _: again and key == "b")
    after.memory.changes += 1
    with patch.object(after._form, "open", wraps=after._form.open) as opens:
        save(after, disk)
    assert set(disk["test"]) == ({"c"} if again else {"b", "c"})
    assert opens.call_count == 2, "what the last writing found to be untrue is not there any more"


async def test_a_change_that_comes_while_the_copy_is_written_is_held_against_it_next_time(
    worker: Any, control: Control
) -> None:
    after, disk = await begun_anew(worker, control)
    await after.drop_where(lambda key, _: key == "a")
    write = after.pending_write(disk)
    await after.drop_where(lambda key, _: key == "b")
    assert write is not None
    write()
    after.memory.changes += 1
    save(after, disk)
    assert set(disk["test"]) == {"c"}


def of(control: Control) -> Any:
    async def ask() -> Any:
        return await control(True)

    return ask


async def test_what_is_replaced_is_replaced_for_other_workers_too(worker: Any, control: Control) -> None:
    ours = worker()
    await ours.get("k", control)
    control.value = "newer"
    assert await ours.replace("k", of(control)) == "newer"
    assert await worker().get("k", control) == "newer"
    assert len(control.known) == 2


async def test_what_was_forgotten_while_it_was_replaced_leaves_no_copy(
    worker: Any, control: Control, redis: MemoryRedis
) -> None:
    ours, control.gate = worker(), asyncio.Event()
    replacing = asyncio.gather(ours.replace("k", of(control)))
    await control.asked.wait()
    await ours.drop("k")
    control.gate.set()
    await replacing
    assert redis.values == {}


async def test_what_has_ended_is_not_written_to_disk(worker: Any, control: Control, clock: Clock) -> None:
    ours, disk = worker(), Disk()

    async def ending(_: bool) -> Any:
        return replace(await control(True), expires=clock.time() + 10)

    await ours.get("ends", ending)
    await ours.get("stays", control)
    clock.now += 11
    save(ours, disk)
    assert set(disk["test"]) == {"stays"}


async def test_a_refresh_does_not_take_its_own_copy_for_news_however_short_a_value_lives(
    worker: Any, control: Control, clock: Clock
) -> None:
    lives = 20.0

    async def ask(known: bool) -> Aged[str]:
        return replace(await control(known), expires=clock.time() + lives)

    ours, theirs = worker(), worker()
    assert await ours.get("k", ask) == await theirs.get("k", ask) == "value"
    clock.now += 0.7 * lives
    control.value = "newer"
    for cache in (ours, theirs):
        assert cache.fresh("k", ask) == "value"
        for _ in range(10):
            await asyncio.sleep(0)
        assert cache.fresh("k", ask) == "newer"
    assert len(control.known) == 2, "one of them found what the other had asked for"
