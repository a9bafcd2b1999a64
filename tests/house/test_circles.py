"""No circles among our modules, imports for types alone included: every file can be read before those that use it.

The layers between folders are contracts in `pyproject.toml`; this sees what a contract cannot name: two neighbours of
one folder that import each other.
"""

from collections.abc import Mapping
from graphlib import CycleError, TopologicalSorter

import grimp
import pytest

from tests.house.tracked import SOURCE


def imports() -> dict[str, set[str]]:
    graph = grimp.build_graph(*SOURCE, exclude_type_checking_imports=False, cache_dir=None)
    return {module: graph.find_modules_directly_imported_by(module) for module in graph.modules}


def circle_in(imported_by: Mapping[str, set[str]]) -> list[str]:
    """The modules of one circle, each imported by the next, or nothing."""
    try:
        TopologicalSorter(imported_by).prepare()
    except CycleError as found:
        return list(found.args[1])
    return []


def test_no_modules_import_each_other_in_a_circle():
    assert circle_in(imports()) == []


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


def test_an_import_for_types_alone_counts():
    module = "proxy.exchange"
    alone = grimp.build_graph(*SOURCE, exclude_type_checking_imports=True, cache_dir=None)
    assert imports()[module] > alone.find_modules_directly_imported_by(module), "or find another module that has one"
