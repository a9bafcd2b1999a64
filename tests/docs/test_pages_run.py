"""The pages' blocks do what the pages say: each page in a shell of its own, all on one `archway up`.

What a block's comment may be is told in page_blocks.py. Every page that has a block to run is run, here or in
test_own_deployment.py.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.docs.conftest import Deployment
from tests.docs.page_blocks import blocks_of
from tests.docs.page_shell import ROOT, PageShell, Place, workplace
from tests.docs.test_own_deployment import PAGES as OWN_DEPLOYMENT
from tests.house.tracked import tracked

PAGES = [
    path
    for path in sorted(tracked())
    if path.endswith(".md") and any(block.is_run for block in blocks_of((ROOT / path).read_text()))
]


@pytest.mark.parametrize("page", [page for page in PAGES if page not in OWN_DEPLOYMENT])
def test_a_page_does_what_it_says(page: str, deployment: Deployment, idp_issuer: str, tmp_path: Path) -> None:
    folder, environment = workplace(tmp_path, ARCHWAY_STATE=str(deployment.state))
    (folder / ".archway").symlink_to(deployment.state)
    here = deployment.file["proxy_url"]
    words = {
        "https://mcp.example.com": here, "https://tools.example.com": here, "https://id.example.com": idp_issuer,
    }  # fmt: skip
    place = Place(folder, environment, dict(deployment.ports), words, deployment.file["gateway_token"])
    try:
        with PageShell(place) as shell:
            for block in blocks_of((ROOT / page).read_text()):
                shell.do(block)
    finally:
        deployment.clear()


def test_the_first_pages_are_among_those_that_are_run() -> None:
    assert {"README.md", "docs/administering/first-entry.md", "docs/using/connect-a-client.md"} <= set(PAGES)
