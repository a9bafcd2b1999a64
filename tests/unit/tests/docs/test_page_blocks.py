"""The blocks of a page and what their comments ask for."""

import pytest

from tests.docs.page_blocks import blocks_of


def told(page):
    return [(block.does, block.what, block.language, block.text) for block in blocks_of(page)]


def test_a_fenced_block_has_the_comment_before_it():
    assert told("Text.\n\n<!-- run -->\n```sh\nls\n```\n") == [("run", "", "sh", "ls\n")]


def test_an_indented_block_goes_on_over_blank_lines():
    assert told("<!-- run -->\n\n    a\n\n    b\n\nText.") == [("run", "", "", "a\n\nb\n")]


@pytest.mark.parametrize(
    ("comment", "does", "what"),
    [
        ("run", "run", ""),
        ("run, fails", "run, fails", ""),
        ("run with .venv/bin/python", "run with", ".venv/bin/python"),
        ("stays 9531", "stays", "9531"),
        ("stops 9531", "stops", "9531"),
        ("prints", "prints", ""),
        ("file control.env", "file", "control.env"),
        ("adds to control.env", "adds to", "control.env"),
        ("not run: it takes an hour", "not run:", "it takes an hour"),
    ],
)
def test_a_comment_says_what_is_done(comment, does, what):
    (block,) = blocks_of(f"<!-- {comment} -->\n```\nx\n```\n")
    assert (block.does, block.what) == (does, what)
    assert block.is_run == (does != "not run:")


@pytest.mark.parametrize("comment", ["ran", "run twice", "prints this", "stays", "file", "not run:", "run with"])
def test_a_comment_that_says_nothing_known_is_refused(comment):
    with pytest.raises(ValueError, match="line 1"):
        blocks_of(f"<!-- {comment} -->\n```\nx\n```\n")


@pytest.mark.parametrize("page", ["Text that goes on\n    indented.\n", "- an item\n\n    its second paragraph\n"])
def test_an_indented_line_of_a_paragraph_or_an_item_is_no_block(page):
    assert not blocks_of(page)


def test_a_comment_far_above_is_not_a_blocks():
    (block,) = blocks_of("<!-- run -->\n\nText.\n\n    ls\n")
    assert not block.does
