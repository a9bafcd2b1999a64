"""No circles among our modules, imports for types alone included: every file can be read before those that use it.

The layers between folders are contracts in `pyproject.toml`; this sees what a contract cannot name: two neighbours of
one folder that import each other.
"""

from collections.abc import Mapping
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import grimp
import pytest

from tests.house.tracked import SOURCE


def imports(*packages: str) -> dict[str, set[str]]:
    graph = grimp.build_graph(*packages, exclude_type_checking_imports=False, cache_dir=None)
    return {module: graph.find_modules_directly_imported_by(module) for module in graph.modules}


def circle_in(imported_by: Mapping[str, set[str]]) -> list[str]:
    """The modules of one circle, each imported by the next, or nothing."""
    try:
        TopologicalSorter(imported_by).prepare()
    except CycleError as found:
        return list(found.args[1])
    return []


def test_no_modules_import_each_other_in_a_circle():
    assert circle_in(imports(*SOURCE)) == []


@pytest.mark.parametrize(
    ("imported_by", "length"),
    [
        ({"a": {"b"}, "b": {"a"}}, 2),
        ({"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"a"}}, 3),
    ],
    ids=["two", "three, and one beside"],
)
def test_a_planted_circle_is_found(imported_by, length):
    assert len(set(circle_in(imported_by))) == length


def test_a_chain_is_no_circle():
    assert circle_in({"a": {"b", "c"}, "b": {"c"}, "c": set()}) == []


def test_an_import_for_types_alone_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "planted_circle"
    folder.mkdir()
    (folder / "__init__.py").touch()
    (folder / "one.py").write_text("import planted_circle.other\n")
    only_for_types = "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import planted_circle.one\n"
    (folder / "other.py").write_text(only_for_types)
    monkeypatch.syspath_prepend(tmp_path)
    assert set(circle_in(imports("planted_circle"))) == {"planted_circle.one", "planted_circle.other"}
