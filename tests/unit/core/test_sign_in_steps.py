"""What a proxy tells of steps of signing in, as it travels."""

from __future__ import annotations

import msgspec
import pytest

from core.sign_in_steps import LONGEST, MOST_TOLD, StepsTaken, ToldStep, ToldSteps


def test_what_was_told_is_read_as_it_was() -> None:
    told = ToldSteps([ToldStep("first_call", "192.0.2.1", "g", "Claude", "not_authenticated", "expired", times=3)])
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(told), type=ToldSteps) == told
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(StepsTaken(1)), type=StepsTaken) == StepsTaken(1)


@pytest.mark.parametrize(
    "steps",
    [
        pytest.param([{"step": "challenge"}] * (MOST_TOLD + 1), id="too many"),
        pytest.param([{"step": "challenge", "gateway": "x" * (LONGEST + 1)}], id="too long"),
        pytest.param([{"step": "token"}], id="a step that control sees itself"),
        pytest.param([{"step": "challenge", "times": 0}], id="never"),
    ],
)
def test_what_is_beyond_the_bounds_is_not_read(steps: list[dict[str, object]]) -> None:
    with pytest.raises(msgspec.MsgspecError):
        msgspec.msgpack.decode(msgspec.msgpack.encode({"steps": steps}), type=ToldSteps)
