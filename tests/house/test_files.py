"""Sizes, names and tests of the source files."""

from __future__ import annotations

import ast
import tomllib
from pathlib import PurePosixPath

import pytest

from tests.house.tracked import ROOT, SOURCE, python_files, tracked

# What such a name says of its content is nothing; a name is the word for the one thing inside.
EMPTY_WORDS = {"utils", "util", "helpers", "helper", "common", "misc", "base", "manager", "service", "handler"}
EMPTY_NAMES = EMPTY_WORDS | {"data", "info", "stuff", "lib"}


def listed(name: str) -> dict[str, str]:
    entries = tomllib.loads((ROOT / "tests" / "house" / name).read_text()).get("file", [])
    return {entry["path"]: entry["why"] for entry in entries}


def lines_of(path: str) -> int:
    return len((ROOT / path).read_text().splitlines())


def test_a_source_file_fits_in_the_head():
    allowed = listed("larger_files.toml")
    sizes = {path: lines_of(path) for path in python_files(*SOURCE, "bench", "bridge")}
    over = {path: size for path, size in sizes.items() if size > (500 if path in allowed else 300)}
    assert not over, "split these, or name them in larger_files.toml (up to 500 lines)"
    assert not {path for path in allowed if sizes.get(path, 0) <= 300}, "take these out of larger_files.toml"


def test_a_test_file_fits_in_the_head():
    assert not {path: lines_of(path) for path in python_files("tests") if lines_of(path) > 500}


def test_names_say_what_is_inside():
    empty = [path for path in python_files(*SOURCE, "bench", "bridge", "tests") if says_nothing(path)]
    assert not empty


def says_nothing(path: str) -> bool:
    names = [part.removesuffix(".py") for part in PurePosixPath(path).parts]
    return any(name in EMPTY_NAMES or EMPTY_WORDS & set(name.split("_")) for name in names)


@pytest.mark.parametrize("path", ["core/utils.py", "proxy/token_helpers.py", "control/base/x.py", "core/data.py"])
def test_an_empty_name_is_seen(path):
    assert says_nothing(path)


@pytest.mark.parametrize("path", ["core/base64url.py", "proxy/database.py", "control/services_of_kube.py"])
def test_a_name_that_only_sounds_so_is_fine(path):
    assert not says_nothing(path)


def unit_test_of(path: str) -> str:
    pure = PurePosixPath(path)
    return str(PurePosixPath("tests", "unit", *pure.parent.parts, f"test_{pure.stem.strip('_')}.py"))


def is_only_a_docstring(path: str) -> bool:
    body = ast.parse((ROOT / path).read_text()).body
    return all(isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) for node in body)


def test_every_source_file_has_a_unit_test_file():
    excused, all_files = listed("untested_files.toml"), set(tracked())
    sources = [path for path in python_files("core", "proxy", "control") if not is_only_a_docstring(path)]
    untested = [path for path in sources if unit_test_of(path) not in all_files]
    missing = {path: unit_test_of(path) for path in untested if path not in excused}
    assert not missing, "write these, or name the source in untested_files.toml with its reason"
    assert not set(excused) - set(untested), "take these out of untested_files.toml"


def test_every_folder_of_unit_tests_mirrors_a_source_folder():
    folders = {str(PurePosixPath(path).parent) for path in tracked() if path.startswith("tests/unit/")}
    strays = [one for one in folders if not (ROOT / one.removeprefix("tests/unit/")).is_dir()]
    assert not strays
