"""The page of the protocol is made of the table that tests look at, and each row has a test that does."""

from __future__ import annotations

import re
import runpy

from tests.house.tracked import ROOT, python_files
from tests.proxy.protocol_table import TABLE

MAKER = ROOT / "tools" / "protocol_page.py"
PAGE = ROOT / "docs" / "using" / "protocol.md"
LOOKS = re.compile(r'^@row\("([\w-]+)"\)$', re.MULTILINE)


def test_the_page_has_the_table_as_it_is_now():
    page, made = PAGE.read_text(), runpy.run_path(str(MAKER))
    assert page == made["whole"](page), "run: .venv/bin/python -m tools.protocol_page"
    assert made["table"]() in page


def test_each_row_of_the_table_has_a_test_that_looks():
    looked_at = {name for path in python_files("tests") for name in LOOKS.findall((ROOT / path).read_text())}
    assert looked_at == TABLE.keys()
