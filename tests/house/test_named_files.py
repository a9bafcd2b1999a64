"""Each of our files that a docstring or a comment names by its path is there, so that a reader can open it."""

from __future__ import annotations

import io
import re
import tokenize
from collections.abc import Iterator

import pytest

from tests.house.tracked import ROOT, SOURCE, python_files, tracked

# No part of a longer word, of an address, or of a path with a place to fill in.
PATH = re.compile(r"(?<![\w./<>{}*-])(?:[\w-]+/)*\w+\.py\b")


def named_in(source: str) -> Iterator[tuple[int, str]]:
    """The paths in docstrings and comments, each with the line where its text begins."""
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT or (token.type == tokenize.STRING and token.string.startswith('"""')):
            yield from ((token.start[0], path) for path in PATH.findall(token.string))


def missing_in(path: str, source: str, files: frozenset[str]) -> list[str]:
    """What `source`, the text of the file `path`, names and is neither below the root nor below its folder."""
    folder = path.rpartition("/")[0]
    return [
        f"{path}:{line} names {name}"
        for line, name in named_in(source)
        if name not in files and f"{folder}/{name}" not in files
    ]


def test_every_file_that_is_named_is_there() -> None:
    files = frozenset(tracked())
    texts = {path: (ROOT / path).read_text() for path in python_files(*SOURCE)}
    assert [one for path, text in texts.items() for one in missing_in(path, text, files)] == []


@pytest.mark.parametrize(
    "source",
    ['"""Called by `b/gone.py`."""', "x = 1  # see gone.py", 'def f():\n    """As\n    (a/c.py, b/gone.py)."""'],
    ids=["a head", "a comment", "a docstring beside one that is there"],
)
def test_a_file_that_is_gone_is_seen(source: str) -> None:
    (found,) = missing_in("a/b.py", source, frozenset({"a/b.py", "a/c.py"}))
    assert found.endswith("gone.py")


@pytest.mark.parametrize("name", ["a/c.py", "c.py", "d/e.py"], ids=["from the root", "beside", "below"])
def test_a_file_that_is_there_may_be_named(name: str) -> None:
    assert missing_in("a/b.py", f"# {name}", frozenset({"a/b.py", "a/c.py", "a/d/e.py"})) == []
