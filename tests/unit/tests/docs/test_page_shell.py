"""The shell in which pages are run: what it runs, and that a page which is wrong is seen."""

import pytest

from tests.docs.page_blocks import blocks_of
from tests.docs.page_shell import PageBroken, PageShell, Place, first_missing, workplace


@pytest.fixture
def follow(tmp_path):
    place = Place(*workplace(tmp_path), {"8400": 4711}, {"mcp.example.com": "localhost"})

    def run(page):
        with PageShell(place) as shell:
            for block in blocks_of(page):
                shell.do(block)
            return shell.said

    run.place = place
    return run


def test_blocks_share_one_shell(follow):
    assert follow("<!-- run -->\n\n    A=1; b() { echo $A$1; }\n\n<!-- run -->\n\n    b 2\n") == "12\n"


@pytest.mark.parametrize(
    "page",
    [
        "<!-- run -->\n\n    false\n",
        "<!-- run -->\n\n    false\n    true\n",
        "<!-- run -->\n\n    no-such-program\n",
        "<!-- run, fails -->\n\n    true\n",
        "<!-- run with python -->\n\n    raise SystemExit(3)\n",
        "<!-- run -->\n\n    echo one\n\n<!-- prints -->\n\n    two\n",
        "<!-- run -->\n\n    exit 0\n",
    ],
)
def test_a_block_that_does_not_do_what_the_page_says_is_seen(follow, page):
    with pytest.raises(PageBroken):
        follow(page)


@pytest.mark.parametrize(
    "page",
    [
        "<!-- run, fails -->\n\n    false\n",
        "<!-- run with python -->\n```python\nassert 1\n```\n",
        "<!-- run -->\n\n    echo 'one  two 1234'; echo three\n\n<!-- prints -->\n\n    one two ...\n",
        "<!-- file x.env -->\n\n    A=1\n\n<!-- adds to x.env -->\n\n    B=2\n\n"
        "<!-- run -->\n\n    . ./x.env; test $A$B = 12\n",
    ],
)
def test_a_block_that_does_what_the_page_says_passes(follow, page):
    follow(page)


def test_known_ports_and_words_are_put_in_and_other_ports_are_free_ones_that_stay_the_same(follow):
    said = follow("<!-- run -->\n\n    echo 8400 mcp.example.com 9531 9531 9532 12 8400123 1.9531\n").split()
    assert said[:2] == ["4711", "localhost"]
    assert said[2] == said[3] != said[4]
    assert "9531" not in said[2:5]
    assert said[5:] == ["12", "8400123", "1.9531"]


def test_a_token_is_the_last_one_that_was_printed(follow):
    said = follow(f"<!-- run -->\n\n    echo arch_{'a' * 49}\n\n<!-- run -->\n\n    echo arch_...\n")
    assert said == f"arch_{'a' * 49}\n"


def test_a_program_that_stays_is_waited_for_and_ended(follow):
    page = "<!-- stays 9531 -->\n\n    python -m http.server 9531 --bind 127.0.0.1\n\n<!-- run -->\n\n    "
    assert "Directory listing" in follow(page + "curl -sS http://127.0.0.1:9531/\n")
    port = follow.place.ports["9531"]
    stop = (
        "<!-- stops 9531 -->\n\n    systemctl stop it\n\n<!-- run, fails -->\n\n    curl -sS http://127.0.0.1:9531/\n"
    )
    follow(page + "true\n\n" + stop)
    with PageShell(follow.place) as shell, pytest.raises(PageBroken):
        shell.do(blocks_of(f"<!-- run -->\n\n    curl -sS http://127.0.0.1:{port}/\n")[0])


@pytest.mark.parametrize("shown", ["b\na\n", "a\nc\n", "a b\n", "a...c\n"])
def test_lines_that_were_not_printed_in_this_order_are_missing(shown):
    assert first_missing(shown, "a\nb\n") is not None


@pytest.mark.parametrize("shown", ["a\nb\n", "b\n", "...\n", "", "a\n\n  b\n"])
def test_lines_that_were_printed_are_found(shown):
    assert first_missing(shown, "a\nb\n") is None
