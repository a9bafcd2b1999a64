import json
import re
from collections.abc import Iterator
from itertools import accumulate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.mcp import json_text
from core.mcp.json_text import depth, outside_strings, without_strings

TREES = st.recursive(
    st.none() | st.integers(-9, 9) | st.text(alphabet='"\\[]{}:, \u00e9', max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=30,
)


@given(TREES)
def test_strings_are_blanked_out_in_place(tree: object) -> None:
    raw = json.dumps(tree).encode()
    outside = without_strings(raw)
    assert len(outside) == len(raw)
    assert all(one == other or one == ord("_") for one, other in zip(outside, raw, strict=True))
    assert outside.count(b'"') % 2 == 0


@given(TREES)
def test_outside_strings_one_quote_stands_for_each(tree: object) -> None:
    raw = json.dumps(tree).encode()
    assert outside_strings(raw) == re.sub(b'"_*"', b'"', without_strings(raw))


@pytest.mark.parametrize(
    ("raw", "levels"),
    [
        (b"", 0),
        (b'"[[["', 0),
        (b'{"a":[1,{}],"b":[]}', 3),
        (b"[" * 500 + b"]" * 500, 500),
        (b'["\\"[[[\\\\",[]]', 2),
    ],
)
def test_depth_counts_what_stands_outside_strings(raw: bytes, levels: int) -> None:
    assert depth(outside_strings(raw)) == depth(without_strings(raw)) == levels


@given(st.text(alphabet="[]{}", max_size=40).map(str.encode), st.integers(1, 50))
def test_depth_is_the_same_in_however_many_steps_it_is_counted(brackets: bytes, at_once: int) -> None:
    whole = depth(brackets)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(json_text, "_AT_ONCE", at_once)
        assert depth(brackets) == whole


@pytest.mark.parametrize("brackets", [b"[" * 300_000, b"[]" * 150_000, b'{"a":' * 300_000, b"]" * 300_000])
def test_no_step_counts_a_text_of_brackets_as_a_whole(brackets: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    steps: list[int] = []

    def counted(piece: memoryview, *, initial: int = 0) -> Iterator[int]:
        steps.append(len(piece))
        return accumulate(piece, initial=initial)

    monkeypatch.setattr(json_text, "accumulate", counted)
    depth(brackets)
    assert (sum(steps), max(steps)) == (300_000, 64 * 1024)
