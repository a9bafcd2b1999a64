"""What pages show *as a command* is a command that there is, and whoever copies it runs what stands there alone."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from tests.all_commands_once import commands

ROOT = Path(__file__).resolve().parents[2]
PAGES = (*(ROOT / "control/console/templates").rglob("*.html"), ROOT / "control/console/pages/home.py")
LINE = re.compile(r'"archway (?:[^"\\]|\\.)*"(?: ~ [\w.\[\]| ]+(?: ~ "(?:[^"\\]|\\.)*")?)*')
"""A command in a template: texts, with values between them."""
VALUE = re.compile(r'"?\s*~ ([\w.\[\]| ]+?)(?: ~ "|$)')
SAFE = ("slug",)
"""Ends of values that can hold nothing which a shell reads: rules say of what letters they are."""


def shown() -> dict[str, str]:
    """Each command, by page and command."""
    found = {}
    for path in PAGES:
        for one in LINE.findall(path.read_text()):
            found[f"{path.name}: {one[:70]}"] = one
    return found


COMMANDS = shown()


def unknown(line: str) -> str:
    """What the command line does not know of this line; '' where it knows all."""
    words = VALUE.sub("X", line).strip('"').split()[1:]
    command: Any = commands()
    while hasattr(command, "commands"):
        alone = not words or words[0].startswith("--")
        if alone and command.invoke_without_command:
            break
        if alone or words[0] not in command.commands:
            return f"no command {' '.join(words[:1])} in {command.name}"
        command = command.commands[words.pop(0)]
    known = {option for one in command.params for option in (*one.opts, *one.secondary_opts)}
    return ", ".join(word for word in words if word.startswith("--") and word not in known)


def test_there_are_commands_on_pages() -> None:
    assert len(COMMANDS) > 30


@pytest.mark.parametrize("line", COMMANDS.values(), ids=list(COMMANDS))
def test_a_command_on_a_page_is_one(line: str) -> None:
    assert not unknown(line)


@pytest.mark.parametrize("line", COMMANDS.values(), ids=list(COMMANDS))
def test_a_value_in_a_command_is_quoted_for_the_shell(line: str) -> None:
    values = [value.strip() for value in VALUE.findall(line)]
    assert not [one for one in values if not one.endswith("| shell") and one.rpartition(".")[2] not in SAFE]


@pytest.mark.parametrize("line", ['"archway users lists"', '"archway users create --nam X"', '"archway users"'])
def test_what_is_no_command_is_seen(line: str) -> None:
    assert unknown(line)
