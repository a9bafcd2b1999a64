import orjson
import pytest

from core.mcp.versions import Era
from proxy.gateways.tool_lists import PAGE, cursor_of, tool_lists

MANY: list[dict[str, object]] = [{"name": f"t{number:04}"} for number in range(PAGE + 1)]


def result(page: bytes) -> dict[str, object]:
    """Of the answer that this page makes with an id."""
    told: dict[str, object] = orjson.loads(b'{"jsonrpc":"2.0","id":1' + page)
    assert sorted(told) == ["id", "jsonrpc", "result"]
    made = told["result"]
    assert isinstance(made, dict)
    return made


def test_lists_are_cut_into_pages_each_with_the_cursor_of_the_next() -> None:
    pages = tool_lists(MANY, Era.LEGACY, "one")
    first, second = result(pages[None]), result(pages[cursor_of(1)])
    assert first == {"tools": MANY[:PAGE], "nextCursor": cursor_of(1)}
    assert second == {"tools": MANY[PAGE:]}
    assert pages[cursor_of(0)] == pages[None]
    assert set(pages) == {None, cursor_of(0), cursor_of(1)}


@pytest.mark.parametrize("count", [0, 1, PAGE])
def test_what_fits_on_one_page_is_one_page(count: int) -> None:
    pages = tool_lists(MANY[:count], Era.LEGACY, "one")
    assert set(pages) == {None, cursor_of(0)}
    assert result(pages[None]) == {"tools": MANY[:count]}


def test_modern_clients_are_told_how_long_it_holds_for_whom_and_of_which_server() -> None:
    told = result(tool_lists([], Era.MODERN, 'the "one"')[None])
    meta = told.pop("_meta")
    assert isinstance(meta, dict)
    assert meta["io.modelcontextprotocol/serverInfo"]["title"] == 'the "one"'
    assert told == {"tools": [], "resultType": "complete", "ttlMs": 10_000, "cacheScope": "private"}
