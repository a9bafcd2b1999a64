import json
from contextlib import suppress

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from core.strict_yaml import MOST_BYTES, MOST_LEVELS, NotStrict, read_yaml, write_yaml

WORDS = st.text(alphabet="0123456789_+-.:eExobyYnNsStTrRuUlL~=<faiFI \n#'\"{}[]", max_size=12)
TEXTS = st.text(max_size=40) | WORDS | st.from_regex(r"[-+]?[0-9_.:eobx]{1,8}", fullmatch=True)
NUMBERS = st.integers(-(2**63), 2**64) | st.floats(allow_nan=False, allow_infinity=False)
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=40)
@given(VALUES)
@example({"y": "n", "on": "0o10", "=": "<<", "1e3": "+.5", "010": "1:30", "": "2020-01-01"})
@example(["é", "\U0001f600 a\n b\n", 1e22, 1e-7])
def test_what_we_write_is_read_as_it_was_by_us_and_by_readers_of_yaml_1_1(value):
    was = json.dumps(value)
    plain = json.dumps(value, ensure_ascii=False).isprintable()

    for text in (write_yaml(value, ascii_only=True), write_yaml(value, ascii_only=not plain)):
        assert json.dumps(read_yaml(text)) == was
        assert json.dumps(yaml.safe_load(text)) == was


@given(st.text(alphabet="abx01 \t\n-:?&*!|>%@`'\"\\{}[],#~\x00\u2028\ud800UFu", max_size=60))
@example('"\\UFFFFFFFF"')
@example(f"%YAML 1.{'9' * 5000}\n---\na")
@example("? [a]\n: b")
def test_text_of_any_kind_is_read_or_refused(text):
    with suppress(NotStrict):
        json.dumps(read_yaml(text))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("true", True), ("False", False), ("null", None), ("~", None), ("", None),
        ("0", 0), ("-12", -12), ("+3", 3), ("0x1F", 31), ("1.5", 1.5), ("-.5", -0.5), ("1.", 1.0), ("1.0e+3", 1000.0),
        ("2026-11-29", "2026-11-29"), ("2026-11-29T14:00:00Z", "2026-11-29T14:00:00Z"),
        ("1.2.3", "1.2.3"), ("10.0.0.1", "10.0.0.1"), ("8080:80", "8080:80"), ("100m", "100m"), ("tRue", "tRue"),
        ("'010'", "010"), ('"yes"', "yes"), ("http://h:1/a#b", "http://h:1/a#b"),
        ('"\\ud83d\\ude00"', "\ud83d\ude00"),
    ],
)  # fmt: skip
def test_a_value_is_what_both_versions_of_yaml_have(text, value):
    assert read_yaml(f"a: {text}") == {"a": value}
    assert type(read_yaml(f"a: {text}")["a"]) is type(value)


@pytest.mark.parametrize(
    "word",
    [
        "y", "N", "yes", "No", "ON", "off", "010", "-010", "08", "0o10", "0b11", "-0x1F", "1_000", "0x1_F", "1_0.5",
        "1:30", "12:30:45", "1:30.5", "1e3", "1.5e3", "12e4567", "1.0e+999", ".inf", "-.INF", ".nan", "<<", "=",
    ],
)  # fmt: skip
def test_a_word_that_readers_take_differently_is_refused_by_its_line_unless_it_is_in_quotes(word):
    with pytest.raises(NotStrict, match=f"^line 2: .*'{word.replace('+', '.')}' in quotes"):
        read_yaml(f"a: 1\nb: {word}")
    assert read_yaml(f"b: '{word}'") == {"b": word}


@pytest.mark.parametrize("word", ["1", "1.5", "true", "null", "~", "y", "on", "010"])
def test_a_name_is_text(word):
    with pytest.raises(NotStrict, match=r"^line 2: .* cannot be a name unless it is in quotes"):
        read_yaml(f"a: 1\n{word}: 2")
    assert read_yaml(f"'{word}': 2") == {word: 2}


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("a: !!str 1", "line 1: 'tag:yaml.org,2002:str' is a tag"),
        ("a: ! b", "line 1: '!' is a tag"),
        ("!x {a: 1}", "line 1: '!x' is a tag"),
        ("a: 1\n!!str b: 2", "line 2: .* is a tag"),
        ("a: &x 1", "line 1: &x is a name for later"),
        ("a: *x", r"line 1: \*x stands for something else"),
        ("a: 1\n*x : 2", r"line 2: \*x stands for something else"),
        ("<<: {a: 1}", "line 1: << is a mark of older YAML"),
        ("a: {b: 1,\n b: 2}", "line 2: 'b' stands in line 1 too"),
        ("a: 1\n'a': 2", "line 2: 'a' stands in line 1 too"),
        ("? [a]\n: b", "line 1: a list or a map cannot be a name"),
        ("a: 1\n---\nb: 1", "line 2: begins a second document"),
        ("a: 1\n...\n---\nb: 1", "line 3: begins a second document"),
        ("%YAML 1.1\n---\na: 1", "line 1: begin without %YAML"),
        ("%TAG ! tag:x,2000:\n---\na: 1", "line 1: begin without %YAML and %TAG"),
        ("a: 1\nb:\n\t- c", "line 3: is not YAML: indent with blanks"),
        ("a: b: c", "line 1: is not YAML: mapping values are not allowed here"),
        ("a: [1", "line 1: is not YAML: while parsing a flow sequence"),
        ("a: 1\nb: \x07", "line 2: has a character that YAML has not"),
        ("a: 1\nb: x\u2028y", r'line 2: write "\\u2028" in double quotes'),
        ("a: " + "9" * 5_000, "line 1: a number of over 300 digits"),
        ("", "holds nothing"),
        ("# only this\n", "holds nothing"),
    ],
)
def test_what_is_more_than_values_is_refused_with_its_line(text, why):
    with pytest.raises(NotStrict, match=f"^{why}"):
        read_yaml(text)


def test_a_long_tag_is_not_told_whole():
    with pytest.raises(NotStrict) as refused:
        read_yaml("a: !" + "x" * 5_000 + " 1")
    assert len(str(refused.value)) < 200


def test_lists_and_maps_in_each_other_have_an_end():
    inside = "[" * (MOST_LEVELS - 1)
    assert read_yaml(f"a: {inside}{']' * len(inside)}")
    for text in (f"a: [{inside}{']' * len(inside)}]", "[" * 30_000, "- " * 30_000, "{a: " * 15_000):
        with pytest.raises(NotStrict, match=f"more than {MOST_LEVELS} levels"):
            read_yaml(text)


def test_the_most_is_counted_in_bytes():
    room = MOST_BYTES - len("a: ")
    assert read_yaml("a: " + "x" * room)
    for text in ("a: " + "x" * (room + 1), "a: " + "é" * (room // 2 + 1)):
        with pytest.raises(NotStrict, match="larger than 64 KiB"):
            read_yaml(text)


def test_a_document_may_have_marks_around_it_and_comments():
    assert read_yaml("\ufeff# one\n---\na: 1  # two\n...\n") == {"a": 1}


def test_nothing_is_written_as_an_alias():
    shared = ["x"]
    assert read_yaml(write_yaml({"a": shared, "b": shared})) == {"a": ["x"], "b": ["x"]}


def test_the_line_of_each_value_is_told():
    lines = {}
    read_yaml("a: 1\nb:\n- c: 2\n  d: {e: 3}\n- f\n", lines)
    assert lines == {
        ("a",): 1, ("b",): 2, ("b", 0): 3, ("b", 0, "c"): 3, ("b", 0, "d"): 4, ("b", 0, "d", "e"): 4, ("b", 1): 5,
    }  # fmt: skip


def test_names_and_values_are_counted_where_somebody_says_how_many_are_read():
    assert read_yaml("a: [1, 2]", most=5) == {"a": [1, 2]}  # the map, its name, the list, and two
    with pytest.raises(NotStrict, match="line 2: has more than 5 names and values"):
        read_yaml("a: [1, 2,\n 3]", most=5)
