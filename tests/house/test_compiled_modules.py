"""What is compiled (`tool.archway.compiled` in pyproject.toml) is there, and keeps clear of a fault of mypyc.

mypyc 2.4 cuts bytes otherwise than Python where a slice would end before it begins: it raises SystemError instead of
giving nothing. So a slice with two bounds has a form in which that cannot be, or is named here with its reason.
"""

from __future__ import annotations

import ast
import tomllib
from collections.abc import Iterator

import pytest

from tests.house.tracked import ROOT, tracked

SURE = {
    ("proxy/edge/head_memory.py", "data[at + _TO_DIGITS:stop]"): "the line has no line end in it",
    ("proxy/edge/head_memory.py", "data[stop:end]"): "`stop` was found before `end`, or is it",
    ("proxy/edge/head_memory.py", "data[at - 3:at]"): "`at` is 3 or more",
    ("proxy/upstream/pool/usual_answer.py", "data[start:stop]"): "looked at before",
    ("proxy/upstream/pool/usual_answer.py", "data[begin:end]"): "`end` is `begin` and a size",
}
"""Slices that cannot end before they begin."""


def compiled() -> list[str]:
    told = tomllib.loads((ROOT / "pyproject.toml").read_text())
    return [f"{name.replace('.', '/')}.py" for name in told["tool"]["archway"]["compiled"]["modules"]]


def unsure_slices(source: str) -> Iterator[str]:
    """Slices with two bounds that may be in the wrong order."""
    for node in ast.walk(ast.parse(source)):
        if not (isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Slice)):
            continue
        lower, upper = node.slice.lower, node.slice.upper
        if lower is None or upper is None:
            continue
        if isinstance(lower, ast.Constant) and isinstance(upper, ast.Constant) and lower.value <= upper.value:
            continue
        if ast.unparse(upper).startswith(f"{ast.unparse(lower)} + "):
            continue
        yield ast.unparse(node)


def slotted_dataclasses(source: str) -> list[str]:
    """Classes that mypyc compiles into a module that cannot be imported, or without their slots."""
    classes = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.ClassDef)]
    return [one.name for one in classes if any("slots=True" in ast.unparse(mark) for mark in one.decorator_list)]


def test_no_dataclass_of_what_is_compiled_has_slots() -> None:
    assert not {(path, name) for path in compiled() for name in slotted_dataclasses((ROOT / path).read_text())}


def test_a_dataclass_with_slots_is_seen() -> None:
    assert slotted_dataclasses("@dataclass(frozen=True, slots=True)\nclass A: ...") == ["A"]


def test_what_is_compiled_is_there_and_in_order() -> None:
    assert set(compiled()) <= set(tracked())
    assert compiled() == sorted(compiled())


def test_no_slice_of_what_is_compiled_may_end_before_it_begins() -> None:
    found = {(path, text) for path in compiled() for text in unsure_slices((ROOT / path).read_text())}
    assert not found - SURE.keys(), "write it so that it cannot, or name it here with its reason"
    assert not SURE.keys() - found, "take these out of SURE"


@pytest.mark.parametrize("text", ["data[start:stop]", "data[at - 3:at]", "data[4:1]", "data[at:-1]"])
def test_a_slice_that_may_end_before_it_begins_is_seen(text: str) -> None:
    assert list(unsure_slices(text)) == [text]


@pytest.mark.parametrize("text", ["data[start:]", "data[:stop]", "data[2:7]", "data[at:at + size]", "data[at]"])
def test_a_slice_that_cannot_is_fine(text: str) -> None:
    assert list(unsure_slices(text)) == []
