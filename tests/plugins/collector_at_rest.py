"""Python's collector of garbage leaves alone what a run of tests keeps until its end.

Twenty thousand tests are three quarters of a million objects, which each full collection would look at again: a
seventh of the whole time of a run. What a test itself leaves is collected as ever, a little less often.
"""

from __future__ import annotations

import gc

import pytest

YOUNG = 20_000
"""Objects that are made before the youngest are looked at; Python's own number is 700."""


@pytest.hookimpl(trylast=True)
def pytest_collection_finish() -> None:
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG, 10, 10)
