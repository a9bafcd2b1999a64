"""Each page of the console is reached at the public URL: proxies pass its path on to control."""

from __future__ import annotations

import re

import pytest

from control.console.routes import PAGES
from proxy.edge.passed_on_paths import has_one_meaning, is_passed_on

AN_ID = "01a22456-45b4-7d41-905f-9abfb7d91bd8"
PATHS = sorted({re.sub(r"\{.*?(?:\{36\})?\}", AN_ID, page.path) for page in PAGES})


def test_a_path_of_a_page_has_no_braces_left() -> None:
    assert not [path for path in PATHS if "{" in path or "}" in path]


@pytest.mark.parametrize("path", PATHS, ids=lambda path: re.sub(r"[0-9a-f-]{36}", "ID", path))
def test_a_page_is_passed_on(path: str) -> None:
    assert is_passed_on(path)
    assert has_one_meaning(path)
