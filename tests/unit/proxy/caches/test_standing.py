"""Whatever is held stands, and what is not held any more does not: against a model of the memory."""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from proxy.caches.standing import Standing


@dataclass(eq=False)
class Value:
    stands: bool = True


STEPS = st.lists(
    st.tuples(st.sampled_from(["put", "again", "pop", "clear", "get", "doubt"]), st.sampled_from("abcd")), max_size=40
)


@given(STEPS)
def test_what_is_held_stands_unless_it_was_doubted_and_nothing_else_does(steps: list[tuple[str, str]]) -> None:
    memory: Standing[str, Value] = Standing(3)
    ever: list[Value] = []
    doubted: set[int] = set()
    for step, key in steps:
        if step == "put":
            ever.append(Value())
            memory.put(key, ever[-1])
        elif step == "again" and (held := memory.peek(key)) is not None:
            memory.put(key, held)
        elif step == "pop":
            memory.pop(key)
        elif step == "clear":
            memory.clear()
        elif step == "get":
            memory.get(key)
        elif step == "doubt" and (held := memory.peek(key)) is not None:
            memory.doubt(key)
            doubted.add(id(held))
        held_now = {id(value) for value in memory.values()}
        assert len(held_now) <= 3
        for value in ever:
            assert value.stands == (id(value) in held_now and id(value) not in doubted)
