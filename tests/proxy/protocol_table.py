"""What of MCP passes through a gateway: the table of docs/using/protocol.md, which tests hold against what happens.

A row is declared here, and `@row(NAME)` before a test says that the test looks at it: in each cell, with a client of
the one era and a server of the other, it gives the words for what it saw. After a change here the page is made again
by `python -m tools.protocol_page`; `tests/house/test_protocol_page.py` tells when that was forgotten, or a row has no
test.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any, Final, Literal

import pytest

Era = Literal["legacy", "modern"]

YES: Final = "yes"
NO: Final = "no"
NO_SUCH_THING: Final = "no such thing"
"""The protocol of one of both sides does not have it."""
ON_STREAM: Final = "on the call's stream"
BY_RESULT: Final = "by the result"
AS_ERROR: Final = "by the same error"
WAITS: Final = "by the result, the call waits"
GET_STREAM: Final = "on the session's GET stream"
LISTEN: Final = "`subscriptions/listen`"
SENT: Final = "sent to the server"
CHECKED: Final = "checked"
CHECKED_AND_SENT: Final = "checked and sent to the server"
BATCH_REVISION: Final = "2025-03-26"
IN_SESSIONS: Final = f"in sessions of {BATCH_REVISION}"


@dataclass(frozen=True, slots=True)
class Cell:
    """A client of one era before a server of one, and the page's words for it."""

    client: Era
    server: Era
    says: str


@dataclass(frozen=True, slots=True)
class Row:
    """One feature. `says`: as the cells stand in the page, from legacy to legacy to modern to modern."""

    feature: str
    says: tuple[str, str, str, str]

    @property
    def cells(self) -> list[Cell]:
        """One for each pair of eras."""
        return [Cell(client, server, says) for (client, server), says in zip(PAIRS, self.says, strict=True)]


PAIRS: Final[tuple[tuple[Era, Era], ...]] = (
    ("legacy", "legacy"),
    ("legacy", "modern"),
    ("modern", "legacy"),
    ("modern", "modern"),
)
"""Client and server, in the order of the page's columns."""
EVERYWHERE: Final = (YES, YES, YES, YES)
NEWS: Final = (GET_STREAM, GET_STREAM, LISTEN, LISTEN)

TABLE: Final[dict[str, Row]] = {
    "tools": Row("tools: list, call, structured output, `outputSchema`, icons, annotations, `_meta`", EVERYWHERE),
    "param-headers": Row(
        "arguments that a tool wants in headers (`x-mcp-header`)", (NO_SUCH_THING, SENT, CHECKED, CHECKED_AND_SENT)
    ),
    "progress": Row("progress", EVERYWHERE),
    "logs": Row("what the server logs, from a level on", EVERYWHERE),
    "cancelling": Row("cancelling a call", EVERYWHERE),
    "resources": Row("resources: list, templates, reading", EVERYWHERE),
    "prompts": Row("prompts: list, getting", EVERYWHERE),
    "completion": Row("completion of arguments", EVERYWHERE),
    "questions": Row(
        "questions: elicitation (form and link), sampling, roots", (ON_STREAM, ON_STREAM, WAITS, BY_RESULT)
    ),
    "links-first": Row(
        "links that a server wants opened first (`-32042` of 2025-11-25)", (AS_ERROR, AS_ERROR, BY_RESULT, BY_RESULT)
    ),
    "news-of-lists": Row("news that lists have changed", NEWS),
    "news-of-one": Row("news of one resource (`resources/subscribe`)", NEWS),
    "app-pages": Row("pages of MCP Apps (`ui://`) that tools name", EVERYWHERE),
    "tasks": Row("tasks (the extension of 2026-07-28)", (NO, NO, NO, YES)),
    "asked-outside": Row("what a server asks outside of any call", (NO, NO_SUCH_THING, NO, NO_SUCH_THING)),
    "batches": Row("batches", (IN_SESSIONS, IN_SESSIONS, NO_SUCH_THING, NO_SUCH_THING)),
}
"""In the order of the page, by the name that tests give."""

Look = Callable[..., Awaitable[str]]


def row(name: str) -> Callable[[Look], Any]:
    """A test of this row. It takes a `cell` and gives the words for what it saw there; other words fail it."""
    cells = TABLE[name].cells

    def looked_at(look: Look) -> Any:
        @pytest.mark.parametrize("cell", cells, ids=[f"{one.client}-to-{one.server}" for one in cells])
        @wraps(look)
        async def test(**given: Any) -> None:
            seen, says = await look(**given), given["cell"].says
            assert seen == says, f"the page says {says!r}, what happened is {seen!r}"

        return test

    return looked_at
