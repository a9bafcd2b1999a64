"""What files of tests and of the bench take from each other is there.

mypy does not read `tests/`, and what people start by hand (`make soak`, `make keycloak`, `make fuzz`) no collection
imports: a name that moved would be missed by whoever runs it next.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache

from tests.house.tracked import ROOT, python_files

HERE = ("bench", "tests")


@cache
def tree_of(path: str) -> ast.Module:
    return ast.parse((ROOT / path).read_text())


@cache
def names_in(path: str) -> frozenset[str]:
    """What a file could give: all that it defines, assigns or imports, wherever in it."""
    found: set[str] = set()
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            found.add(node.name)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            found |= {one.asname or one.name.partition(".")[0] for one in node.names}
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            found.add(node.id)
    return frozenset(found)


def missing(tree: ast.Module) -> Iterator[str]:
    """What this file takes from files of ours that do not have it."""
    files = {path.removesuffix(".py").replace("/", "."): path for path in python_files(*HERE)}
    for node in ast.walk(tree):
        if not isinstance(node, ast.ImportFrom) or (node.module or "").split(".")[0] not in HERE:
            continue
        path = files.get(node.module or "")
        given = names_in(path) if path else frozenset()
        for one in node.names:
            if one.name not in given and f"{node.module}.{one.name}" not in files:
                yield f"{node.module}.{one.name}"


def test_what_a_file_takes_from_another_is_there() -> None:
    found = {path: names for path in python_files(*HERE) if (names := list(missing(tree_of(path))))}
    assert not found


def test_a_name_that_is_gone_is_seen() -> None:
    source = "from tests.house.tracked import ROOT, gone\nfrom tests.house import nowhere\nfrom tests.away import x"
    assert list(missing(ast.parse(source))) == ["tests.house.tracked.gone", "tests.house.nowhere", "tests.away.x"]
