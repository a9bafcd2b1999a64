import json

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.mcp.deep_json import LEVELS, MAX_BRACKETS, is_deep, loads_deep

INNERMOST = rb'{"k]}":"\"]}[{\\","n":[1,2.5,null,true,{}]}'
TREES = st.recursive(
    st.none() | st.integers(-9, 9) | st.text(alphabet='"\\[]{}:, \u00e9', max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=30,
)


@pytest.mark.parametrize("levels", [1, LEVELS - 2, LEVELS, LEVELS + 1, 2 * LEVELS, 1023, 1025, 5000])
@pytest.mark.parametrize(("opening", "closing"), [(b"[", b"]"), (b'{"a":', b"}"), (b'[1,{"b":2,"a":', b'},"x"]')])
def test_any_depth_is_read_and_written_as_it_came(opening: bytes, closing: bytes, levels: int) -> None:
    raw = opening * levels + INNERMOST + closing * levels
    assert orjson.dumps(loads_deep(raw)) == raw


@given(TREES, st.integers(0, 3))
def test_where_nothing_is_deep_it_reads_what_orjson_reads(tree: object, indent: int) -> None:
    raw = json.dumps(tree, indent=indent or None).encode()
    assert loads_deep(raw) == tree
    assert not is_deep(raw)


@pytest.mark.parametrize(
    "raw",
    [
        b"[" * 300 + b"]" * 299 + b"}",
        b"[" * 300 + b"}" * 300,
        b"[" * 300 + b"]" * 299,
        b"[" * 300 + b"]" * 301,
        b"]" * 300 + b"[" * 300,
        b"[" * 300 + b"NaN" + b"]" * 300,
        b"[NaN," + b"[" * 300 + b"]" * 301,
        b"[" * 300 + b"1,]" + b"]" * 299,
        b"[" * 300 + b'"]' + b"]" * 300,
        b"[" * 300 + b"01" + b"]" * 300,
        b'{"a":' * 300 + b"1" + b"}" * 299 + b",}",
        b"[" * 700 + b"," + b"]" * 700,
    ],
)
def test_what_is_no_json_is_found_at_any_depth(raw: bytes) -> None:
    with pytest.raises(ValueError):
        loads_deep(raw)


def test_a_text_of_too_many_brackets_is_not_looked_through() -> None:
    half = MAX_BRACKETS // 2
    assert orjson.dumps(loads_deep(b"[" * half + b"]" * half)) == b"[" * half + b"]" * half
    with pytest.raises(ValueError, match="brackets"):
        loads_deep(b"[" * (half + 1) + b"]" * (half + 1))
    with pytest.raises(ValueError, match="brackets"):
        loads_deep(b"[" * 300 + b"{}," * half + b"{}" + b"]" * 300)
    shallow = b"[" + b"[]," * MAX_BRACKETS + b"50000000000000000000]"
    assert orjson.dumps(loads_deep(shallow)) == shallow


@pytest.mark.parametrize(("opening", "closing"), [(b"[", b"]"), (b'{"a":', b"}"), (b'[1,{"b":2,"a":', b'},"x"]')])
def test_tens_of_thousands_of_levels_are_refused_before_they_are_cut(opening: bytes, closing: bytes) -> None:
    with pytest.raises(ValueError, match="brackets"):
        loads_deep(opening * 40_000 + INNERMOST + closing * 40_000)


@pytest.mark.parametrize(
    ("raw", "deep"),
    [
        (b"[" * LEVELS + b"]" * LEVELS, False),
        (b"[" * (LEVELS + 1) + b"]" * (LEVELS + 1), True),
        (b"[" + b"[]," * 1000 + b"[]]", False),
        (b'["' + b"[" * 1000 + b'"]', False),
        (rb'["\\",' + b"[" * LEVELS + b"]" * LEVELS + b"]", True),
    ],
)
def test_depth_is_counted_outside_strings(raw: bytes, deep: bool) -> None:
    assert is_deep(raw) is deep
