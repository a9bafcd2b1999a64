"""Errors about options, in words for people."""

import pytest
from typer.testing import CliRunner

from archway.all_commands import app
from archway.plain_words import in_plain_words


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("gateways", "list", "--limit", "x"), "Invalid value for '--limit': must be a whole number"),
        (("gateways", "list", "--limit", "1.5"), "Invalid value for '--limit': must be a whole number"),
        (("gateways", "list", "--limit", "0"), "Invalid value for '--limit': must be at least 1"),
        (("records", "gaps", "--limit", "x"), "Invalid value for '--limit': must be a whole number"),
        (("up", "--workers", "many"), "Invalid value for '--workers': must be a whole number"),
        (("up", "--proxy-port", "99999"), "Invalid value for '--proxy-port': must be at most 65535"),
        (("entries", "create", "--deadline-s", "soon"), "Invalid value for '--deadline-s': must be a number"),
        (("users", "list", "-o", "xml"), "'xml' is not one of"),
    ],
    ids=" ".join,
)
def test_a_value_that_does_not_fit_is_told_what_would(words, said):
    done = CliRunner().invoke(app, list(words))

    assert done.exit_code == 2
    assert said in " ".join(done.output.replace("│", " ").split())
    assert "Input should" not in done.output
    assert "Value error" not in done.output


def test_words_that_are_not_known_stay():
    assert in_plain_words("says another form than --output") == "says another form than --output"
