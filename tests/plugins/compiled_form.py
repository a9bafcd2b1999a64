"""A pytest plugin for `make test-compiled`: this process takes the compiled modules before any test imports them.

Only with `-p tests.plugins.compiled_form`; every process of xdist is given the same. Workers that tests start through
a supervisor take them by themselves. Tests that patch or subclass what is compiled run interpreted alone.
"""

from __future__ import annotations

import pytest

from core.compiled_form import DoesNotFit, root, take


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests() -> None:
    try:
        taken = take(root())
    except DoesNotFit as why:
        raise pytest.UsageError(f"the compiled modules do not fit ({why}): make compiled") from None
    if not taken:
        raise pytest.UsageError("there are no compiled modules: make compiled")


def pytest_report_header() -> str:
    return "modules: compiled"
