import asyncio
import time
from pathlib import Path
from typing import Any

import pytest

from core.resolve import CallerVerdict, Principal
from proxy import pipeline
from proxy.caches import saving
from proxy.caches.two_ages import Aged
from proxy.letters import deliver
from proxy.records.spool import Spool
from proxy.sessions.mailbox import Letter
from tests.fakes.call_parts import exchange, gateway, tool, worker


async def test_a_letter_ends_its_session() -> None:
    async with worker() as made:
        deliver(Letter("ended", "s"), made.deps)
        deliver(Letter("cancel", "s", 1), made.deps)  # a call of another worker
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
    monkeypatch.setattr(saving, "EVERY_S", 0.01)
    async with worker(disk_cache=str(tmp_path)) as made:
        verdict = CallerVerdict("d", Principal("user", "u", "u"), "token")
        made.authority.verdicts.memory.put("d", Aged(verdict, time.monotonic()))
        failures = [ZeroDivisionError()]
        whole = made.deps.gateways.pending_write

        def pending_write(disk: Any) -> Any:
            if failures:
                raise failures.pop()
            return whole(disk)

        monkeypatch.setattr(made.deps.gateways, "pending_write", pending_write)
        _ = made.tasks.spawn("disk", made.saving.keep_saving())
        async with asyncio.timeout(30):
            while failures or not made.disk.read("verdicts"):  # noqa: ASYNC110 - nothing tells of a written file
                await asyncio.sleep(0.01)
