"""What is said over a Deployment, judged at saving, without HTTP; `tests/control/test_overrides.py` has the rest."""

from __future__ import annotations

import pytest

from control.changes import entries, overrides
from control.changes.overrides import MOST_TOLD, override_of, told
from control.changes.write import changing
from control.orchestrator.override.faults import Fault
from control.registry.broken_rule import BrokenRule
from control.registry.entry import Remote
from control.registry.self_hosted import SelfHosted
from control.store.pool import Pool
from tests.fakes.registry import a_wanted_entry
from tests.unit.control.changes.acting import ADMIN, SAFEGUARDS

RUN = SelfHosted(command=("npx", "-y", "a@1"), override="spec: {template: {spec: {nodeSelector: {disk: ssd}}}}")


def test_a_server_that_runs_elsewhere_has_none() -> None:
    assert override_of(Remote("https://a.test")) == override_of(None) == ""
    assert override_of(RUN) == RUN.override


def test_of_much_that_is_wrong_as_much_is_told_as_somebody_reads() -> None:
    faults = [Fault(f"a{number}", "is wrong") for number in range(MOST_TOLD + 2)]
    assert told(faults[:1]) == "a0 is wrong"
    assert told(faults).endswith("a7 is wrong; and 2 more")


async def test_nobody_waits_for_a_cluster_that_is_not_there(pool: Pool) -> None:
    async def change(_: object) -> None:
        raise AssertionError("nothing is rehearsed")

    assert await overrides.tried_out(pool, ADMIN, None, change) == ""  # type: ignore[arg-type]


async def test_what_is_shown_is_what_is_saved(pool: Pool) -> None:
    async with changing(pool, ADMIN) as write:
        made = await entries.create(write, SAFEGUARDS, a_wanted_entry(slug="files", reached=RUN))
        assert "disk: ssd" in (await overrides.previewed(write.connection, SAFEGUARDS, made)).merged
        assert "disk: ssd" not in (await overrides.previewed(write.connection, SAFEGUARDS, made, "")).merged
    wrong = SelfHosted(command=RUN.command, override="spec: {replicas: 2}")
    with pytest.raises(BrokenRule, match=r"run\.override: line 1: spec\.replicas"):
        async with changing(pool, ADMIN) as write:
            await entries.create(write, SAFEGUARDS, a_wanted_entry(slug="other", reached=wrong))
