from __future__ import annotations

import pytest

from proxy.limits import logged
from proxy.limits.logged import Logged

LINE: dict[str, object] = {"level": "error", "logger": "theirs", "data": "x" * 60}


@pytest.mark.parametrize(("limit", "passed"), [("MOST", 3), ("MOST_BYTES", 4)])
def test_more_messages_or_bytes_than_allowed_are_left_out_and_that_is_said_once(
    limit: str, passed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logged, limit, {"MOST": 3, "MOST_BYTES": 450}[limit])
    of_call = Logged()
    told = [of_call.take(LINE) for _ in range(20)]
    assert told[:passed] == [LINE] * passed
    said = told[passed]
    assert said is not None
    assert (said["level"], said["logger"]) == ("error", "archway")
    assert "left out" in str(said["data"])
    assert told[passed + 1 :] == [None] * (19 - passed)
