"""The code blocks of a page, each with the comment before it that says what its test does. A pure reading of text.

A comment such as `<!-- run -->` shows nothing to readers. It stands before a block, fenced or indented:

- `run`: the block is run in the page's shell and must end well; a `python` or `js` block by that program
- `run with PROGRAM`: the same with another program, such as another Python
- `run, fails`: it must end with an error
- `stays PORT`: it is a program that stays; the next block waits until the port answers
- `stops PORT`: that program is ended; the block is how a reader may do it, and is not run
- `prints`: the block is what the one before it printed; `...` stands for anything, lines may be missing between
- `file NAME` or `adds to NAME`: the block is the content of that file, or is added to its end
- `not run: REASON`: why nothing tests it

`tests/house/test_page_blocks.py` sees to it that no block is without. `page_shell.py` runs them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

DOES = ("run", "run, fails", "run with", "stays", "stops", "prints", "file", "adds to", "not run:")
COMMANDS = {"", "sh", "bash", "console", "python", "js"}
"""Languages of blocks that a person would type or run, and that therefore need a comment."""
_COMMENT = re.compile(r"^<!-- (.*) -->$")
_FENCE = re.compile(r"^(`{3,})(\w*)$")


@dataclass(frozen=True, slots=True)
class Block:
    """One code block. `does` is the first words of its comment, "" without one, and `what` is the rest."""

    line: int
    language: str
    text: str
    does: str = ""
    what: str = ""

    @property
    def is_run(self) -> bool:
        return self.does not in {"", "not run:"}


def blocks_of(page: str) -> list[Block]:
    """Every block in its order; raises ValueError for a comment before one that says nothing we know."""
    return list(_blocks(page.splitlines()))


def _blocks(lines: list[str]) -> Iterator[Block]:
    number = 0
    while number < len(lines):
        if fence := _FENCE.match(lines[number]):
            end = lines.index(fence[1], number + 1)
            yield _block(lines, number, fence[2], lines[number + 1 : end])
            number = end
        elif lines[number].startswith("    ") and _may_begin(lines, number):
            end = number
            while end < len(lines) and (lines[end].startswith("    ") or not lines[end].strip()):
                end += 1
            yield _block(lines, number, "", [line[4:] for line in lines[number:end]])
            number = end - 1
        number += 1


def _may_begin(lines: list[str], number: int) -> bool:
    """Whether an indented line is code: after a blank line that ends a paragraph which is no item of a list."""
    before = number - 1
    if before < 0 or lines[before].strip():
        return False
    while before > 0 and not lines[before].strip():
        before -= 1
    while before > 0 and lines[before].startswith("  "):
        before -= 1
    return not re.match(r"^\s*([-*]|\d+\.) ", lines[before])


def _block(lines: list[str], number: int, language: str, code: list[str]) -> Block:
    text = "\n".join(code).strip("\n") + "\n"
    before = number - 1
    while before >= 0 and not lines[before].strip():
        before -= 1
    comment = _COMMENT.match(lines[before]) if before >= 0 else None
    if comment is None:
        return Block(number + 1, language, text)
    does = max((one for one in DOES if comment[1].startswith(one)), key=len, default="")
    what = comment[1].removeprefix(does).strip()
    if not does or (does in {"run", "run, fails", "prints"}) == bool(what):
        raise ValueError(f"line {before + 1}: a block's comment is one of {', '.join(DOES)}; got {comment[1]!r}")
    return Block(number + 1, language, text, does, what)
