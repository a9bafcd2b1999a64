"""Reading the Dockerfiles, for tests about them."""

from __future__ import annotations

import re

from tests.house.tracked import ROOT


def lines_of(path: str) -> list[str]:
    """Its instructions, each in one line."""
    text = re.sub(r"\\\n(\s*#.*\n)*", " ", (ROOT / path).read_text())
    return [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
