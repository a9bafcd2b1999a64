import pytest

from core.mcp.list_items import items_of

MOST = 100


def texts(inside: str, name: str = "tools") -> list[str] | None:
    """The items that are found in this list."""
    raw = f'{{"id": 1, "result": {{"x": [[0]], "{name}": [{inside}], "nextCursor": "a"}}}}'.encode()
    found = items_of(raw, "tools", MOST)
    if found is None:
        return None
    (begin, end), spans = found
    assert raw[begin:end].decode() == inside
    return [raw[one[0] : one[1]].decode().strip() for one in spans]


@pytest.mark.parametrize(
    ("inside", "items"),
    [
        ("", []),
        (" \n ", []),
        ("{}", ["{}"]),
        ('{"a": [1, {"b": "},{"}]} , {"c": 2}', ['{"a": [1, {"b": "},{"}]}', '{"c": 2}']),
        ('{"a":"\\"]}"},7,"x",[1,[2]],null', ['{"a":"\\"]}"}', "7", '"x"', "[1,[2]]", "null"]),
        ("7", ["7"]),
        ("1, 2", ["1", "2"]),
        ('{"a": NaN},{"b": "\\ud83d"}', ['{"a": NaN}', '{"b": "\\ud83d"}']),
    ],
)
def test_each_item_is_found_whatever_is_in_it(inside: str, items: list[str]) -> None:
    assert texts(inside) == items


@pytest.mark.parametrize(
    "inside", [",", "{},", ",{}", "{},,{}", "{} {}", "1 {}", "{} 1", "1,,2", "{}, ,{}", '{"a": "x}']
)
def test_commas_that_do_not_fit_make_no_list(inside: str) -> None:
    raw = f'{{"result": {{"tools": [{inside}]}}}}'.encode()
    found = items_of(raw, "tools", MOST)
    assert found is None or [raw[one[0] : one[1]] for one in found[1]] == [b"1 {}"]


@pytest.mark.parametrize(
    "raw",
    [
        b"", b"[]", b'{"result": {"tools": {}}}', b'{"result": {"tools": [{}', b'{"result": [["tools", []]]}',
        b'{"error": {"tools": [{}]}}', b'{"result": {"inner": {"tools": [{}]}}}', b'{"result": {"tools": [{}}]}',
    ],
)  # fmt: skip
def test_what_is_no_such_list_is_none(raw: bytes) -> None:
    assert items_of(raw, "tools", MOST) is None


@pytest.mark.parametrize("most", [0, 1, 2, 3, 7, 8])
@pytest.mark.parametrize(
    "inside",
    ["1,2,3,4,5,6,7,8", "{},{},{},{},{},[],[],{}", "1,2,{},3,4,{},5,6", "{},1,2,3,4,5,6,{}", "1,{},{},2,3,{},{},4"],
)
def test_of_more_items_than_are_wanted_one_is_found(inside: str, most: int) -> None:
    raw = f'{{"result": {{"tools": [{inside}]}}}}'.encode()
    found = items_of(raw, "tools", most)
    assert found is not None
    (begin, end), spans = found
    assert raw[begin:end].decode() == inside
    assert [raw[one[0] : one[1]].decode() for one in spans] == inside.split(",")[: most + 1]
