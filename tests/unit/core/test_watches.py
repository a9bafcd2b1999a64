"""Questions about what to listen to: how large one may be."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from core.watches import MOST_HELD, MOST_TOLD, HeardLists, WatchQuestion


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        (WatchQuestion, {"worker": ""}),
        (WatchQuestion, {"worker": "w", "room": MOST_HELD + 1}),
        (WatchQuestion, {"worker": "w", "room": -1}),
        (WatchQuestion, {"worker": "w", "held": {str(number): 1 for number in range(MOST_HELD + 1)}}),
        (WatchQuestion, {"worker": "w", "silent": [str(number) for number in range(MOST_HELD + 1)]}),
        (HeardLists, {"lists": {str(number): ["tools"] for number in range(MOST_TOLD + 1)}}),
        (HeardLists, {"lists": {"i": ["roots"]}}),
    ],
)
def test_what_is_too_much_or_unknown_cannot_be_read(kind: type[Any], said: Any) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.msgpack.decode(msgspec.msgpack.encode(said), type=kind)
