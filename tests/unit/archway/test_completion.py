"""Shell completion, in a real bash: what typer prints for it, and what it then offers."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

BASH = """
eval "$(archway --show-completion bash)"
COMP_WORDS=({words}); COMP_CWORD={at}; COMPREPLY=()
_archway_completion archway
printf '%s\\n' "${{COMPREPLY[@]}}"
"""


@pytest.fixture(scope="module")
def offered(tmp_path_factory):
    """`offered("archway inst")`: what bash would offer for the last word."""
    script = tmp_path_factory.mktemp("bin") / "archway"
    script.write_text(f"#!{sys.executable}\nfrom archway.cli import main\n\nmain()\n")
    script.chmod(0o755)
    environment = {"PATH": f"{script.parent}{os.pathsep}{os.environ['PATH']}", "PYTHONPATH": str(Path.cwd())}

    def run(words):
        typed = [word or "''" for word in words.split(" ")]
        line = BASH.format(words=" ".join(typed), at=len(typed) - 1)
        done = subprocess.run(
            ["bash", "-c", line], capture_output=True, text=True, timeout=60, env=environment, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.split()

    return run


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("archway inst", ["installations"]),
        ("archway installations cr", ["create"]),
        (
            "archway gateways update --add",
            ["--add-label", "--add-team", "--add-header", "--add-client", "--add-environment"],
        ),
        ("archway gateways list --output ", ["table", "wide", "json", "yaml"]),
        ("archway users list --role ", ["admin", "editor", "member"]),
        ("archway teams add Platform ada --role ed", ["editor"]),
        ("archway --ver", ["--version"]),
    ],
)
def test_bash_completes_commands_subcommands_options_and_their_words(offered, words, expected):
    assert offered(words) == expected
