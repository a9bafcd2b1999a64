import asyncio
import gc
import time
from pathlib import Path
from typing import Any

import pytest

from core.changes import Change
from core.identifiers import new_id
from core.resolve import Principal, TokenVerdict
from proxy import pipeline
from proxy import worker as worker_module
from proxy.caches.two_ages import Aged
from proxy.records.spool import Spool
from proxy.sessions.mailbox import Letter
from proxy.worker import Worker
from tests.fakes.call_parts import connection, exchange, gateway, tool, worker

CONNECTION = connection()


def filled(made: Worker) -> None:
    """A token of user u in team t, and a connection of that user."""
    verdict = TokenVerdict("d", Principal("user", "u", "u", frozenset({"t"})), "token")
    made.deps.authority.verdicts.memory.put("d", Aged(verdict, time.monotonic()))
    made.deps.connections.resolved.memory.put("g/a/user:u", Aged(CONNECTION, time.monotonic()))


def left(made: Worker) -> tuple[bool, bool]:
    deps = made.deps
    return deps.authority.verdicts.memory.holds("d"), deps.connections.resolved.memory.holds("g/a/user:u")


@pytest.mark.parametrize(
    ("kind", "name", "verdict", "own"),
    [
        ("token", "d", False, True),
        ("token", "e", True, True),
        ("user", "u", False, False),
        ("user", "v", True, True),
        ("team", "t", False, False),
        ("gateway", "g", True, False),
        ("installation", CONNECTION.installation_id, True, False),
        ("installation", new_id(), True, True),
        ("entry", CONNECTION.entry_id, True, False),
    ],
    ids=[
        "its token",
        "another token",
        "its user",
        "another user",
        "its team",
        "its gateway",
        "its installation",
        "another installation",
        "its entry",
    ],
)
async def test_a_change_makes_the_worker_forget_what_it_makes_untrue(
    kind: Any, name: str, verdict: bool, own: bool
) -> None:
    async with worker() as made:
        filled(made)
        await made.apply(Change("epoch", 1, kind, name, -1 if kind == "gateway" else 0))
        assert left(made) == (verdict, own)


async def test_in_doubt_nothing_remembered_is_used_before_it_was_asked_again() -> None:
    async with worker() as made:
        filled(made)
        made.doubt()
        assert left(made) == (True, True)  # kept: it may serve while control is away
        assert made.deps.authority.known("d") is None
        assert made.deps.connections.resolved.memory.fresh("g/a/user:u") is None


async def test_a_letter_ends_its_session() -> None:
    async with worker() as made:
        made.deliver(Letter("ended", "s"))
        made.deliver(Letter("cancel", "s", 1))  # a call of another worker
        assert made.deps.sessions.has_ended("s")
        assert not made.deps.sessions.has_ended("t")


async def test_the_records_of_calls_that_run_at_the_end_are_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    began = asyncio.Event()

    async def endless(_x: Any, _deps: Any) -> None:
        began.set()
        await asyncio.sleep(999)

    monkeypatch.setattr(pipeline, "TO_UPSTREAM", (endless,))
    async with worker(disk_cache=str(tmp_path)) as made:
        x = exchange(gateway([tool()]))
        caller = made.tasks.spawn("caller", pipeline.answer_request(x, made.deps))
        await began.wait()
    assert caller.done()
    ((_, _, sealed),) = Spool(str(tmp_path)).oldest()
    assert x.status == "cancelled"
    assert len(sealed) > 0


async def test_the_disk_is_written_again_after_a_failure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker_module, "DISK_EVERY_S", 0.01)
    async with worker(disk_cache=str(tmp_path)) as made:
        filled(made)
        failures = [ZeroDivisionError()]
        whole = made.deps.gateways.unsaved

        def unsaved(disk: Any) -> Any:
            if failures:
                raise failures.pop()
            return whole(disk)

        monkeypatch.setattr(made.deps.gateways, "unsaved", unsaved)
        _ = made.tasks.spawn("disk", made._save_to_disk())
        async with asyncio.timeout(30):
            while failures or not made.disk.read("verdicts"):  # noqa: ASYNC110 - nothing tells of a written file
                await asyncio.sleep(0.01)


def test_cycles_are_collected_seldom_but_collected() -> None:
    before = gc.get_threshold()
    try:
        worker_module.collect_seldom()
        assert gc.isenabled()
        assert all(0 < most <= 20_000 for most in gc.get_threshold())
        assert gc.get_freeze_count() > 0
    finally:
        gc.unfreeze()
        gc.set_threshold(*before)
