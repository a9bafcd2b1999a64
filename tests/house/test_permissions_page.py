"""The page of permissions is made of the program's own tables, and was made again after their last change."""

from __future__ import annotations

import runpy

from control.admin.permissions import TABLE
from control.registry.actions import ACTIONS
from tests.house.tracked import ROOT

MAKER = ROOT / "tools" / "permissions_page.py"
PAGE = ROOT / "docs" / "administering" / "permissions.md"


def test_the_page_has_the_tables_as_they_are_now():
    page = PAGE.read_text()
    assert page == runpy.run_path(str(MAKER))["whole"](page), "run: .venv/bin/python tools/permissions_page.py"


def test_the_page_has_a_row_for_each_permission_and_each_route():
    lines = PAGE.read_text().splitlines()
    rows = [line.split("|")[1].strip().strip("`") for line in lines if line.startswith("| `")]
    assert rows == [*ACTIONS, *TABLE]
