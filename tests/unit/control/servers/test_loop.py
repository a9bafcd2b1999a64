from __future__ import annotations

import logging

import pytest

from control.servers.loop import AT_ONCE, POLL_EVERY_S, RESYNC_S
from control.servers.runtime import Refused
from tests.unit.control.servers.conftest import Scene


async def test_what_the_rows_want_is_run(scene: Scene) -> None:
    scene.rows = {"a": 1, "b": 4}
    async with scene.running():
        await scene.until(lambda: scene.runtime.running == {"a": 1, "b": 4})


async def test_a_change_is_applied_as_soon_as_it_is_told(scene: Scene) -> None:
    scene.rows = {"a": 1}
    async with scene.running():
        await scene.until(lambda: scene.runtime.running == {"a": 1})
        await scene.pass_by(2)
        scene.rows["a"] = 2
        scene.loop.wake()
        assert await scene.until(lambda: scene.runtime.running == {"a": 2}) < POLL_EVERY_S / 2


async def test_a_change_that_nobody_told_is_seen_by_the_next_look(scene: Scene) -> None:
    async with scene.running():
        await scene.until(lambda: scene.looks == 1)
        scene.rows["a"] = 1
        assert await scene.until(lambda: scene.runtime.running == {"a": 1}) <= POLL_EVERY_S + 1


async def test_a_server_whose_row_is_gone_is_removed(scene: Scene) -> None:
    scene.rows = {"a": 1, "b": 1}
    async with scene.running():
        await scene.until(lambda: len(scene.runtime.running) == 2)
        del scene.rows["a"]
        scene.loop.wake()
        await scene.until(lambda: scene.runtime.running == {"b": 1})


async def test_many_notices_at_once_are_one_look(scene: Scene) -> None:
    async with scene.running():
        await scene.until(lambda: scene.looks == 1)
        for _ in range(1_000):
            scene.loop.wake()
        await scene.pass_by(POLL_EVERY_S - 1)
        assert scene.looks == 2


async def test_nothing_is_applied_again_where_nothing_changed(scene: Scene) -> None:
    scene.rows = {"a": 1}
    async with scene.running():
        await scene.pass_by(RESYNC_S[0] - 10)
        assert scene.runtime.applies == ["a"]


async def test_all_are_looked_at_again_after_some_minutes(scene: Scene) -> None:
    scene.rows = {"a": 1}
    async with scene.running():
        await scene.until(lambda: scene.runtime.running == {"a": 1})
        scene.runtime.running.clear()
        assert await scene.until(lambda: scene.runtime.running == {"a": 1}, by=1) <= RESYNC_S[1] + 10


async def test_what_the_runtime_wakes_is_looked_at(scene: Scene) -> None:
    scene.rows = {"a": 1}
    async with scene.running():
        await scene.until(lambda: scene.runtime.running == {"a": 1})
        scene.runtime.running.clear()
        scene.runtime.wake("a")
        assert await scene.until(lambda: scene.runtime.running == {"a": 1}) <= 2


async def test_what_the_runtime_wakes_and_nobody_knows_is_not_taken_away(scene: Scene) -> None:
    scene.runtime.running = {"stray": 1}
    async with scene.running():
        await scene.until(lambda: scene.looks == 1)
        scene.runtime.wake("stray")
        await scene.pass_by(RESYNC_S[0] - 10, by=1)
        assert scene.runtime.running == {"stray": 1}


async def test_a_runtime_that_wakes_without_end_has_one_try_a_second(scene: Scene) -> None:
    scene.rows = {"a": 1}
    async with scene.running():
        await scene.until(lambda: scene.runtime.running == {"a": 1})
        for _ in range(40):
            scene.runtime.wake("a")
            await scene.pass_by(0.25)
        assert len(scene.runtime.applies) <= 12


async def test_no_more_are_applied_at_once_than_may_be(scene: Scene) -> None:
    scene.rows = {str(number): 1 for number in range(100)}
    scene.runtime.hold.clear()
    async with scene.running():
        await scene.pass_by(2)
        scene.runtime.hold.set()
        await scene.until(lambda: len(scene.runtime.running) == 100)
    assert scene.runtime.most_at_once == AT_ONCE


async def test_a_failure_is_tried_again_less_and_less_often(scene: Scene) -> None:
    scene.rows = {"a": 1}
    scene.runtime.away = True
    async with scene.running():
        await scene.pass_by(200)
        assert 6 <= len(scene.runtime.applies) <= 9
        scene.runtime.away = False
        await scene.until(lambda: scene.runtime.running == {"a": 1}, by=1)


async def test_one_that_fails_holds_up_no_other(scene: Scene) -> None:
    scene.rows = {"a": 1, "b": 1}
    scene.refusals["a"] = ValueError("a row that nobody can read")
    async with scene.running():
        await scene.until(lambda: scene.runtime.running == {"b": 1})


async def test_what_is_wanted_and_cannot_be_is_told_and_then_mended_at_once(scene: Scene) -> None:
    scene.rows = {"a": 3}
    scene.runtime.faults = [Refused("refused_by_cluster", "quota exceeded")]
    async with scene.running():
        await scene.until(lambda: len(scene.reported) == 1)
        state = scene.reported[0]
        assert (state.phase, state.cause, state.message, state.generation) == (
            "failed", "refused_by_cluster", "quota exceeded", 3,
        )  # fmt: skip
        scene.rows = {"a": 4}
        scene.loop.wake()
        assert await scene.until(lambda: scene.runtime.running == {"a": 4}) <= 2


async def test_what_must_not_go_on_is_taken_away_and_said_to_have_failed(scene: Scene) -> None:
    scene.rows = {"a": 1}
    async with scene.running():
        await scene.until(lambda: scene.runtime.running == {"a": 1})
        scene.refusals["a"] = Refused("not_signed_in", "nobody has signed in", ends=True)
        scene.rows = {"a": 2}
        await scene.until(lambda: len(scene.reported) > 0)
        assert scene.runtime.running == {}
        assert (scene.reported[0].phase, scene.reported[0].cause) == ("failed", "not_signed_in")
        del scene.refusals["a"]
        scene.rows = {"a": 3}
        await scene.until(lambda: scene.runtime.running == {"a": 3})


async def test_what_is_refused_and_goes_on_is_held_to_what_it_may_reach_by_now(scene: Scene) -> None:
    scene.rows = {"a": 1}
    async with scene.running():
        await scene.until(lambda: scene.runtime.running == {"a": 1})
        scene.refusals["a"] = Refused("not_permitted", "its environment is restricted")
        scene.rows = {"a": 2}
        await scene.until(lambda: len(scene.reported) > 0)
        assert [one.installation_id for one in scene.runtime.confines] == ["a"]
        assert (scene.runtime.running, scene.reported[0].cause) == ({"a": 1}, "not_permitted")


async def test_what_must_not_go_on_is_said_so_though_its_runtime_is_away(scene: Scene) -> None:
    scene.rows = {"a": 1}
    scene.runtime.away, scene.refusals["a"] = True, Refused("no_token", "its provider is away", ends=True)
    async with scene.running():
        await scene.until(lambda: len(scene.reported) > 0)
        assert scene.reported[0].cause == "no_token"
        scene.runtime.away = False
        await scene.until(lambda: len(scene.runtime.removals) > 1)


async def test_a_new_server_says_that_its_runtime_is_away(scene: Scene) -> None:
    scene.rows = {"a": 1}
    scene.runtime.away = True
    async with scene.running():
        await scene.until(lambda: len(scene.reported) == 1)
    assert (scene.reported[0].phase, scene.reported[0].cause) == ("pending", "runtime_away")


async def test_a_database_that_is_away_removes_nothing(scene: Scene) -> None:
    scene.rows = {"a": 1}
    async with scene.running():
        await scene.until(lambda: scene.runtime.running == {"a": 1})
        scene.database_away = True
        scene.runtime.wake("a")
        await scene.pass_by(RESYNC_S[1] + 10, by=1)
        assert scene.runtime.running == {"a": 1}
        scene.database_away, scene.rows = False, {"a": 2}
        await scene.until(lambda: scene.runtime.running == {"a": 2}, by=1)


async def test_a_server_of_which_nobody_knows_any_more_is_cleared_away(scene: Scene) -> None:
    scene.rows, scene.runtime.running = {"a": 1}, {"stray": 1}
    async with scene.running():
        await scene.until(lambda: scene.runtime.running == {"a": 1}, by=1)


async def test_many_servers_of_which_nobody_knows_are_left_and_told_of(
    scene: Scene, caplog: pytest.LogCaptureFixture
) -> None:
    scene.runtime.running = dict.fromkeys("abcdefgh", 1)
    async with scene.running():
        await scene.pass_by(RESYNC_S[1] + 10, by=1)
    assert len(scene.runtime.running) == 8
    assert [record.levelno for record in caplog.records if "not removed" in record.message] == [logging.ERROR]


async def test_a_row_deleted_while_the_runtime_is_away_is_removed_when_it_is_back(scene: Scene) -> None:
    scene.rows = {"a": 1}
    async with scene.running():
        await scene.until(lambda: scene.runtime.running == {"a": 1})
        scene.runtime.away = True
        del scene.rows["a"]
        await scene.pass_by(30, by=1)
        scene.runtime.away = False
        await scene.until(lambda: scene.runtime.running == {}, by=1)


async def test_a_loop_that_begins_again_looks_at_all_of_them(scene: Scene) -> None:
    scene.rows = {"a": 1}
    for times in (1, 2):
        async with scene.running():
            await scene.until(lambda times=times: scene.runtime.applies == ["a"] * times)
    assert scene.runtime.runs == 2
