"""The pages of this repository: every link within it, and every file that a sentence names, is there."""

from __future__ import annotations

import re
import tomllib
from pathlib import PurePosixPath

import pytest

from tests.house.tracked import ROOT, tracked

PAGES = sorted(path for path in tracked() if path.endswith(".md"))
LINK = re.compile(r"\]\(([^)\s]+)\)")
# `tools/call` is a method of MCP, not a file of ours.
NAMED_FILE = re.compile(r"`((?:core|proxy|control|archway|tests|docs|deploy)/[\w./-]*\w|tools/[\w-]+\.\w+)`")
ROW = re.compile(r"\b[A-Z]-\d{1,2}\b")


def links_of(path: str) -> list[str]:
    found = LINK.findall((ROOT / path).read_text())
    return [link for link in found if not link.startswith(("http://", "https://", "mailto:"))]


def anchors_of(path: str) -> set[str]:
    """Anchors of a page's headings, as forges make them."""
    headings = re.findall(r"^#+ (.+)$", (ROOT / path).read_text(), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES)
def test_every_link_leads_somewhere(page):
    lost = []
    for link in links_of(page):
        target, _, anchor = link.partition("#")
        path = (ROOT / PurePosixPath(page).parent / target).resolve() if target else ROOT / page
        if not path.exists() or (anchor and anchor not in anchors_of(str(path.relative_to(ROOT)))):
            lost.append(link)
    assert not lost


@pytest.mark.parametrize("page", [page for page in PAGES if page != "CONTRIBUTING.md"])
def test_every_file_that_a_page_names_is_there(page):
    named = NAMED_FILE.findall((ROOT / page).read_text())
    made_by_readers = [line.strip("/") for line in (ROOT / ".gitignore").read_text().splitlines()]
    assert not [name for name in named if name not in made_by_readers and not (ROOT / name).exists()]


def test_the_threat_model_names_rows_that_are_tested():
    wanted = set(tomllib.loads((ROOT / "tests" / "trust" / "wanted.toml").read_text())["rows"])
    assert not set(ROW.findall((ROOT / "THREAT_MODEL.md").read_text())) - wanted


def test_every_decision_is_in_the_list():
    pages = {PurePosixPath(path).name for path in PAGES if path.startswith("docs/adr/0")}
    assert pages == {link for link in links_of("docs/adr/README.md") if link.startswith("0")}


def test_a_change_fragment_says_its_kind():
    kinds = {"added", "changed", "fixed", "removed", "security"}
    fragments = [PurePosixPath(path) for path in PAGES if path.startswith("CHANGES/") and "README" not in path]
    assert not [path for path in fragments if path.suffixes[-2].removeprefix(".") not in kinds]
