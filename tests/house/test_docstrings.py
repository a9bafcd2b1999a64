"""What a docstring must be, as far as a program can say: a class is understood alone, in words that people know.

An editor and the OpenAPI document show a class's docstring without the head of its file, so "One worker's." says
nothing there. Whether a sentence is true and clear is for readers; tests are not looked at, as their names say it.
"""

from __future__ import annotations

import ast
import re

import pytest

from tests.house.tracked import ROOT, SOURCE, python_files, text_of, tracked

CODE = (*SOURCE, "bench", "tools")
FEWEST_WORDS = 5
FEWEST_CHARACTERS = 28
# Put together from halves, so that this file does not hold them.
STRANGE = re.compile(r"\ban" r"ew\b|\bnou" r"ght\b|\bwhen" r"ce\b|\bhangs? o" r"n\b", re.IGNORECASE)


def what_is_wrong(docstring: str | None) -> str:
    """Why a public class's docstring says too little, '' if it does not."""
    if not docstring:
        return "has none"
    if len(docstring.split()) < FEWEST_WORDS or len(docstring) < FEWEST_CHARACTERS:
        return f"says too little: {docstring!r}"
    if docstring.startswith("See "):
        return "sends its reader elsewhere"
    return ""


@pytest.mark.parametrize(
    "docstring", [None, "", "One worker's.", "A page of a list.", "See the module for what it says."]
)
def test_a_docstring_that_cannot_be_understood_alone_is_seen(docstring: str | None) -> None:
    assert what_is_wrong(docstring)


def test_every_public_class_is_understood_without_its_file() -> None:
    found = []
    for path in python_files(*CODE):
        for node in ast.walk(ast.parse((ROOT / path).read_bytes())):
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                wrong = what_is_wrong(ast.get_docstring(node))
                found += [f"{path}:{node.lineno} {node.name} {wrong}"] if wrong else []
    assert not found


def test_no_text_has_words_that_only_its_writer_uses() -> None:
    found = []
    for path in tracked():
        for number, line in enumerate((text_of(path) or "").splitlines(), 1):
            found += [f"{path}:{number}: {said[0]}" for said in STRANGE.finditer(line)]
    assert not found
