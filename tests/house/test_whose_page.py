"""The page of whose token reaches a server is made of the program's own table, and made again after a change."""

from __future__ import annotations

import runpy

from control.credentials.whose import CALLERS, TABLE
from tests.house.tracked import ROOT

MAKER = ROOT / "tools" / "whose_page.py"
PAGE = ROOT / "docs" / "administering" / "whose-token.md"


def test_the_page_has_the_table_as_it_is_now():
    page = PAGE.read_text()
    assert page == runpy.run_path(str(MAKER))["whole"](page), "run: .venv/bin/python tools/whose_page.py"


def test_the_page_says_every_refusal_and_has_a_row_for_each_kind_of_caller():
    page = PAGE.read_text()
    assert all(cell.refusal in page for row in TABLE.values() for cell in row.values())
    assert sum(line.startswith(("| a ", "| somebody")) for line in page.splitlines()) == len(CALLERS)
