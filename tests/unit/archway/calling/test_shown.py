from __future__ import annotations

from typing import Any

import pytest

from archway.calling.shown import text_of


@pytest.mark.parametrize(
    ("result", "text"),
    [
        ({"content": [{"type": "text", "text": "12:00"}]}, "12:00"),
        ({"content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b\tc"}]}, "a\nb\tc"),
        ({"content": [], "structuredContent": {"now": "12:00"}}, '{\n  "now": "12:00"\n}'),
        ({"content": [{"type": "text", "text": "x"}], "structuredContent": {"x": 1}}, "x"),
        (
            {"content": [{"type": "image", "mimeType": "image/png", "data": "AAAA"}]},
            "[image, image/png, 3 bytes; --json shows it]",
        ),
        ({"content": [{"type": "resource_link", "uri": "file:///a"}]}, "[a link to file:///a]"),
        ({"content": [{"type": "resource", "resource": {"uri": "u", "text": "inside"}}]}, "inside"),
        ({"content": [{"type": "hologram"}]}, "[hologram; --json shows it]"),
        ({"content": "odd"}, ""),
        ({}, ""),
    ],
)
def test_a_result_is_told_as_text(result: dict[str, Any], text: str) -> None:
    assert text_of(result) == text


@pytest.mark.parametrize("steering", ["\x1b[2J", "\x07", "\r", "\x9b1m", "\u202e", "\x00"])
def test_what_steers_a_terminal_is_a_dot(steering: str) -> None:
    told = text_of({"content": [{"type": "text", "text": f"a{steering}b"}]})
    assert told.isprintable()
    assert "·" in told
