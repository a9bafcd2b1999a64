"""A memory holds so many values at most, each until its end, whatever is done to it in whatever order."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from control.exchanges.memory import Memory

MOST = 3
KEYS = st.sampled_from("abcde")
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("put"), KEYS, st.integers(0, 9), st.integers(-1, 5)),
        st.tuples(st.just("forget"), KEYS),
        st.tuples(st.just("wait"), st.integers(0, 3)),
    ),
    max_size=40,
)


@given(STEPS)
def test_what_is_kept_is_the_latest_that_has_not_ended_and_never_too_much(steps: list[tuple[object, ...]]) -> None:
    memory, now = Memory[int](MOST), 0.0
    model: dict[str, tuple[float, int]] = {}
    for step in steps:
        match step:
            case ("put", str(key), int(value), int(life)):
                memory.put(key, value, now + life)
                _ = model.pop(key, None)
                while len(model) >= MOST:
                    del model[next(iter(model))]
                model[key] = now + life, value
            case ("forget", str(key)):
                memory.forget(key)
                _ = model.pop(key, None)
            case ("wait", int(seconds)):
                now += seconds
        for key in "abcde":
            until, value = model.get(key, (now, None))
            if now >= until:
                _ = model.pop(key, None)
            assert memory.get(key, now) == (value if now < until else None)
        assert len(memory) <= MOST
