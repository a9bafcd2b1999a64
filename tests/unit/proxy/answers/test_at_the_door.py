from __future__ import annotations

import pytest

from core.records import CallRecord
from proxy.answers.at_the_door import record_at_door
from proxy.records.at_the_door import AT_ONCE
from tests.fakes.call_parts import exchange, gateway, parts
from tests.fakes.callers import a_user


async def kept(monkeypatch: pytest.MonkeyPatch, times: int = 1, **more: object) -> list[CallRecord]:
    """What the keeper gets of so many refusals."""
    got: list[CallRecord] = []
    async with parts() as deps:
        monkeypatch.setattr(deps.records, "keep", got.append)
        for _ in range(times):
            x = exchange(gateway(slug="sales", revision=9))
            x.status, x.reason = "gateway_unknown", "No\x1b gateway."
            for name, value in more.items():
                setattr(x, name, value)
            record_at_door(x, deps)
    return got


async def test_a_refusal_is_told_with_its_caller_and_its_gateway(monkeypatch: pytest.MonkeyPatch) -> None:
    (one,) = await kept(monkeypatch)
    assert (one.principal, one.token_id, one.decision, one.status) == (
        "user:u",
        "token-id",
        "refused",
        "gateway_unknown",
    )
    assert (one.gateway_revision, one.gateway_asked, one.reason) == (9, "", "No gateway.")
    assert (one.method, one.left_out) == ("tools/call", 0)


async def test_a_refusal_is_told_with_what_its_caller_came_with(monkeypatch: pytest.MonkeyPatch) -> None:
    (one,) = await kept(monkeypatch, caller=a_user("ada", way="jwt"))
    assert (one.principal, one.auth, one.token_id) == ("user:ada", "jwt", "token-id")


@pytest.mark.parametrize(("asked", "told"), [("nowhere", "nowhere"), ("a\x1b\u202eb", "ab"), ("x" * 500, "x" * 128)])
async def test_a_gateway_that_there_is_not_is_told_as_it_was_asked_for(
    monkeypatch: pytest.MonkeyPatch, asked: str, told: str
) -> None:
    (one,) = await kept(monkeypatch, gateway=None, gateway_name=asked)
    assert (one.gateway_id, one.gateway_asked) == ("", told)


async def test_refusals_beyond_the_allowance_leave_none(monkeypatch: pytest.MonkeyPatch) -> None:
    assert len(await kept(monkeypatch, times=AT_ONCE + 5)) == AT_ONCE
