"""The code blocks of the pages: each one that a reader would type is run by a test, or says why it is not."""

from __future__ import annotations

import pytest

from tests.docs.page_blocks import COMMANDS, Block, blocks_of
from tests.house.tracked import ROOT, tracked

PAGES = sorted(path for path in tracked() if path.endswith(".md"))


def unmarked(page: str) -> list[Block]:
    return [block for block in blocks_of(page) if block.language in COMMANDS and not block.does]


@pytest.mark.parametrize("path", PAGES)
def test_every_block_of_a_page_is_run_or_says_why_not(path):
    lost = [f"{path}:{block.line}" for block in unmarked((ROOT / path).read_text())]
    assert not lost, "put `<!-- run -->`, or `<!-- not run: why -->`, before it; see tests/docs/page_blocks.py"


@pytest.mark.parametrize(
    "block",
    [
        "```sh\nmake up\n```\n",
        "```python\nprint()\n```\n",
        "    make up\n",
        "```\nmake up\n```\n",
        "```js\nx()\n```\n",
    ],
)
def test_a_block_without_a_comment_is_seen(block):
    assert unmarked(f"# A page\n\nSay this:\n\n{block}")
    assert not unmarked(f"# A page\n\nSay this:\n\n<!-- run -->\n\n{block}")
