import base64

import pytest

from control.discovery.blanking import blanked, written_in_texts

KEY = 's3cr3t "k\u00e9y" /+'


@pytest.mark.parametrize(
    "written",
    [
        KEY,
        's3cr3t \\"k\u00e9y\\" /+',
        's3cr3t \\"k\\u00e9y\\" /+',
        "s3cr3t%20%22k%C3%A9y%22%20/%2B",
        "s3cr3t%20%22k%C3%A9y%22%20%2F%2B",
        base64.b64encode(KEY.encode()).decode().rstrip("="),
    ],
)
def test_a_secret_is_taken_out_in_whatever_way_it_is_written(written: str) -> None:
    assert blanked(f"no such key {written}, sorry", written_in_texts({KEY})) == "no such key <sealed>, sorry"


@pytest.mark.parametrize("length", [6, 10, 20, 39])
def test_the_beginning_of_a_secret_at_the_end_of_a_text_is_taken_out(length: int) -> None:
    secret = "abcdefghij" * 4
    assert blanked("no such key " + secret[:length], written_in_texts({secret})) == "no such key <sealed>"


def test_a_text_that_begins_like_a_secret_and_goes_on_otherwise_stays() -> None:
    secrets = written_in_texts({"abcdefghij"})
    assert blanked("abcdef abcdefgh abcdefx", secrets) == "abcdef abcdefgh abcdefx"
    assert blanked("abcdef abcdefgh", secrets) == "abcdef <sealed>"


def test_of_two_secrets_of_which_one_holds_the_other_nothing_is_left() -> None:
    assert blanked("s3cr3t-and-more s3cr3t", written_in_texts({"s3cr3t", "s3cr3t-and-more"})) == "<sealed> <sealed>"


@pytest.mark.parametrize("secret", ["a", "abcde", ""])
def test_a_short_secret_does_not_blank_ordinary_words(secret: str) -> None:
    assert blanked("abcde a", written_in_texts({secret})) == "abcde a"
