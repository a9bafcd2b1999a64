"""A server's command after `--url` without quotes gets the sentence, not "No such option"."""

import pytest
from typer.testing import CliRunner

from archway.admin.unquoted import after_url
from archway.all_commands import app


def said(*words):
    done = CliRunner().invoke(app, ["entries", *words], env={"COLUMNS": "400"})
    return done.exit_code, " ".join(done.output.split())


@pytest.mark.parametrize(
    "command",
    ["npx -y some-server", "docker run -i mcp/time", "npx @foo/bar", "uvx server --port 1", "python -m server"],
)
@pytest.mark.parametrize("verb", [["create", "--slug", "x", "--name", "X"], ["update", "x"]])
def test_a_command_without_quotes_is_told_what_to_do_with_it(verb, command):
    code, output = said(*verb, "--url", *command.split())
    assert code == 2
    assert "is a command that starts a server, not a URL" in output
    assert "servers-we-run.md" in output


@pytest.mark.parametrize(
    "words",
    [
        ["create", "--slug", "x", "-y"],
        ["create", "--url", "https://crm.example.com/mcp", "-y"],
        ["create", "--url", "https://crm.example.com/mcp", "more"],
        ["create", "--url"],
    ],
)
def test_another_mistake_keeps_its_own_words(words):
    code, output = said(*words)
    assert code == 2
    assert "starts a server" not in output


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["--url", "npx", "-y", "x", "--slug", "y"], "npx -y x"),
        (["--slug", "y"], ""),
        (["--url"], ""),
        (["--url", "--slug"], "--slug"),
    ],
)
def test_what_is_after_the_option_ends_at_the_next_one(words, text):
    assert after_url(words) == text
