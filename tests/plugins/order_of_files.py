"""A pytest plugin: in what order the workers of `make test` take the files, so that none waits long for the last.

xdist gives a worker that has nothing left the next file whole (`--dist loadfile`), those with most tests first. Files
that start whole systems, and models that are run hundreds of times, have few tests and take long, so they would come
last: all together, where a core idles while they wait, and the longest perhaps as the very last. Here they are spread
among the others, which come as before, and are through before the end. Runs without xdist keep the order of the
collection.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

import pytest

LONG = (
    "tests/bench/", "tests/clients/", "tests/faults/", "tests/fuzz/", "tests/oauth_providers/", "tests/sdk_table/",
    "tests/trust/test_plan_model.py", "tests/trust/test_whose_credential.py",
    "tests/unit/archway/supervisor/", "tests/unit/archway/test_completion.py", "tests/up/",
)  # fmt: skip
"""Folders and files of few tests that take long: most start processes and wait for them."""
_THROUGH_AT = 0.85
"""The share of the other tests behind which none of the long files begins."""


@pytest.hookimpl(trylast=True)
def pytest_configure(config: pytest.Config) -> None:
    if hasattr(config.option, "loadscopereorder"):
        config.option.loadscopereorder = False  # xdist's own order; ours is made where the tests are collected


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if not hasattr(config, "workerinput"):
        return
    place = {name: number for number, name in enumerate(in_turns(Counter(map(_file, items))))}
    items.sort(key=lambda item: place[_file(item)])


def in_turns(files: Mapping[str, int]) -> list[str]:
    """The files, each given with its number of tests, in the order in which they are to begin."""
    most_first = sorted(files, key=lambda name: -files[name])
    long = [name for name in most_first if name.startswith(LONG)]
    others = [name for name in most_first if not name.startswith(LONG)]
    pace = sum(files[name] for name in others) * _THROUGH_AT / max(1, len(long) - 1)
    order: list[str] = []
    begun = 0
    for number, name in enumerate(long):
        while others and begun < number * pace:
            begun += files[others[0]]
            order.append(others.pop(0))
        order.append(name)
    return order + others


def _file(item: pytest.Item) -> str:
    return item.nodeid.partition("::")[0]
