"""Writes the table of docs/using/protocol.md from the one that tests hold against what happens.

Run as `.venv/bin/python -m tools.protocol_page` after a change of tests/proxy/protocol_table.py;
tests/house/test_protocol_page.py tells when that was forgotten.
"""

import re
from pathlib import Path

from tests.proxy.protocol_table import PAIRS, TABLE

PAGE = Path(__file__).parent.parent / "docs" / "using" / "protocol.md"
BEGIN, END = "<!-- made by tools/protocol_page.py -->", "<!-- until here -->"


def table() -> str:
    """The table, as Markdown."""
    titles = [f"{client} client, {server} server" for client, server in PAIRS]
    rows = [["", *titles], ["---"] * 5, *([one.feature, *one.says] for one in TABLE.values())]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in rows)


def whole(page: str) -> str:
    """The page with its table as it is now."""
    made = f"{BEGIN}\n\n{table()}\n\n{END}"
    return re.sub(f"{re.escape(BEGIN)}.*{re.escape(END)}", lambda _: made, page, flags=re.DOTALL)


if __name__ == "__main__":
    PAGE.write_text(whole(PAGE.read_text()))
