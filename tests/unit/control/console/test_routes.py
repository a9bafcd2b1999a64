"""The table of pages: each names a permission that there is, and no reading page changes anything."""

from __future__ import annotations

import pytest

from control.admin.permissions import TABLE
from control.console.routes import PAGES, PageRoute


@pytest.mark.parametrize("page", PAGES, ids=lambda page: f"{page.method} {page.path}")
def test_a_page_needs_the_permission_of_an_operation(page: PageRoute) -> None:
    assert page.needs in TABLE


@pytest.mark.parametrize("page", PAGES, ids=lambda page: f"{page.method} {page.path}")
def test_a_form_that_changes_something_needs_the_permission_of_a_change(page: PageRoute) -> None:
    judged_by_the_change = {"/connect/{gateway}/token", "/tokens/new"}
    if page.method == "POST" and page.path not in judged_by_the_change:
        assert not page.needs.startswith("GET ")


def test_there_are_two_methods() -> None:
    assert {page.method for page in PAGES} == {"GET", "POST"}


def test_no_page_is_there_twice() -> None:
    keys = [(page.method, page.path) for page in PAGES]
    assert len(keys) == len(set(keys))
