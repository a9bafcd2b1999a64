import json

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.mcp.deep_json import LEVELS, MAX_BRACKETS
from core.mcp.deep_parts import DeepParts


def nested(levels: int, inside: bytes = b"1") -> bytes:
    return b"[" * levels + inside + b"]" * levels


@pytest.mark.parametrize(
    "raw",
    [
        b'{"a":%b,"b":2}' % nested(1100),
        b'{"a":%b,"b":%b}' % (nested(5000), nested(700, b'{"c":"]"}')),
        b"[%b]" % b",".join([nested(300)] * 20),
        nested(2 * LEVELS, b",".join([nested(LEVELS), b'"[{"', nested(LEVELS + 1)])),
        b'{"a":[1,2]}',
    ],
    ids=["one", "two", "many", "in each other", "none"],
)
def test_what_is_left_is_not_deep_and_what_was_taken_comes_back(raw: bytes) -> None:
    deep = DeepParts(raw)
    assert msgspec.json.decode(deep.text) is not None
    assert deep.put_back(deep.text) == raw


def test_each_part_of_what_is_left_gets_its_own_back() -> None:
    deep = DeepParts(b'{"a":%b,"b":%b}' % (nested(300, b"1"), nested(400, b"2")))
    members = msgspec.json.decode(deep.text, type=dict[str, msgspec.Raw])
    assert deep.put_back(bytes(members["a"])) == nested(300, b"1")
    assert deep.put_back(bytes(members["b"])) == nested(400, b"2")


@pytest.mark.parametrize(
    "raw",
    [
        nested(300, b"NaN"),
        nested(300, b"1,"),
        b"[" * 300 + b"}" * 300,
        b"[" * 300 + b"]" * 250,
        nested(300, b"]" + b"[" * 2),
        nested(LEVELS, nested(LEVELS, b"{1:2}")),
        b"%b,[]" % nested(LEVELS + 1),
    ],
)
def test_what_is_no_json_is_refused(raw: bytes) -> None:
    with pytest.raises(ValueError):
        msgspec.json.decode(DeepParts(raw).text)


def test_a_deep_text_with_too_many_brackets_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match=f"more than {MAX_BRACKETS} brackets"):
        DeepParts(b"[%b]" % b",".join([b"[]"] * (MAX_BRACKETS // 2)))


@settings(deadline=None, max_examples=50)
@given(
    st.recursive(
        st.none() | st.integers() | st.text(max_size=5),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    ),
    st.lists(st.integers(0, 450), min_size=1, max_size=4),
)
def test_any_text_comes_back_as_it_was(value: object, depths: list[int]) -> None:
    raw = json.dumps(value).encode()
    whole = b"[%b]" % b",".join(nested(depth, raw) for depth in depths)
    deep = DeepParts(whole)
    assert deep.put_back(deep.text) == whole
