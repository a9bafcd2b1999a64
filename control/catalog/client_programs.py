"""A server that a client starts as a program (`command`, `args`, `env`), read as an entry that Archway runs. Pure.

What could be a secret becomes a question whose answer is a variable of the server, and its value is dropped. Left
out, with the reason, is a program of one machine alone, a container, and a command with a secret in it: every process
of a machine may read the arguments of the others. Called by `client_config.py`.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from control.registry.broken_rule import BrokenRule
from control.registry.packages import unpinned_package
from control.registry.run_names import check_variable

_STARTERS: Final = frozenset({"npx", "uvx"})
"""What Archway's own image starts a package with."""
_CONTAINERS: Final = frozenset({"docker", "podman", "nerdctl"})
_SHELLS_OF_WINDOWS: Final = frozenset({"cmd", "powershell", "pwsh"})
_PROGRAM: Final = re.compile(r"\.(?:exe|cmd|bat)$", re.IGNORECASE)
_OPTION_OF_A_SECRET: Final = re.compile(r"-.*(?:key|token|secret|passw|credential|auth)", re.IGNORECASE)
_SECRET: Final = re.compile(r"(?=.*\d)(?=.*[A-Za-z])[A-Za-z0-9_~-]{20,}")
_OF_A_MACHINE: Final = re.compile(r"~?/(?:[\w.-]+/?)+|[A-Za-z]:\\.*|\$\{?(?:HOME|workspaceFolder)\b.*")
_LONGEST_SHOWN: Final = 80


class NoEntry(Exception):
    """It can be no entry; the sentence says why."""


def entry_of_program(
    one: Mapping[str, Any], is_plain: Callable[[str], bool], field_name: Callable[[str], str]
) -> tuple[dict[str, Any], list[str]]:
    """What is run, and what it asks, as members of an entry; what was done to it, a sentence each. Raises NoEntry.

    `is_plain`: whether a value is no secret; `field_name`: what a question for this variable is called.
    """
    command = _command(one)
    _refuse_secrets(command)
    notes = [
        f"Its argument {argument[:_LONGEST_SHOWN]} is a place on one machine: see what it must be here."
        for argument in command[1:]
        if _OF_A_MACHINE.fullmatch(argument)
    ]
    if command[0] not in _STARTERS:
        notes.append(f"Archway's own image has npx and uvx; see where {command[0][:_LONGEST_SHOWN]} is to come from.")
    if package := unpinned_package(command):
        notes.append(f"{package[:_LONGEST_SHOWN]} names no version: it takes the newest that there is at each start.")
    environment: dict[str, str] = {}
    fields: list[dict[str, Any]] = []
    notes += list(_variables(one.get("env"), environment, fields, is_plain, field_name))
    run = {"transport": "stdio", "command": command, "environment": environment}
    return {"kind": "self_hosted", "url": "", "run": run, "fields": fields}, notes


def _command(one: Mapping[str, Any]) -> list[str]:
    """Program and arguments; a client's `command` may be both, as a list (Zed: an object with `path` and `args`)."""
    asked = one.get("command")
    given, more = (asked.get("path"), asked.get("args")) if isinstance(asked, dict) else (asked, one.get("args"))
    words = [str(word) for word in ([given] if isinstance(given, str) else given if isinstance(given, list) else [])]
    words += [str(word) for word in more] if isinstance(more, list) else []
    if words and _bare(words[0]) in _SHELLS_OF_WINDOWS:  # cmd /c npx ...
        words = words[2:]
    if not words or not words[0]:
        raise NoEntry("Left out: it has neither a URL nor a command.")
    program = _bare(words[0])
    if program in _CONTAINERS:
        raise NoEntry("Left out: a client starts a container of it. Make the entry by hand, with its image.")
    if program not in _STARTERS and re.search(r"[/\\]", words[0]):
        raise NoEntry("Left out: its program is a file of one machine. Make an image of it, or a package.")
    return [program if program in _STARTERS else words[0], *words[1:]]


def _bare(word: str) -> str:
    """The name of a program without its folder and what Windows puts behind it."""
    return _PROGRAM.sub("", re.split(r"[/\\]", word)[-1])


def _refuse_secrets(command: Sequence[str]) -> None:
    first = next((word for word in command[1:] if not word.startswith("-")), "")
    package = first if first == first.lower() else ""
    before = ""
    for word in command[1:]:
        value = word.rpartition("=")[2]
        named = word if "=" in word else before if not word.startswith("-") else ""
        looks_so = word != package and _SECRET.fullmatch(value) is not None
        if _OPTION_OF_A_SECRET.match(named) or looks_so or ("://" in word and "@" in word):
            raise NoEntry(
                "Left out: its command could hold a secret. Make the entry by hand, with the secret in a variable."
            )
        before = word


def _variables(
    env: object,
    environment: dict[str, str],
    fields: list[dict[str, Any]],
    is_plain: Callable[[str], bool],
    field_name: Callable[[str], str],
) -> Iterator[str]:
    """Put what is no secret into the environment, make questions of the rest; what was done, a sentence each."""
    for name, value in env.items() if isinstance(env, dict) else ():
        variable, text = str(name), str(value).strip()
        plain = is_plain(text)
        try:
            check_variable(variable, "env", asked=not plain)
        except BrokenRule:
            yield f"{variable[:_LONGEST_SHOWN]} was left out: no entry sets it."
            continue
        if plain:
            environment[variable] = text
            continue
        fields.append(
            {"name": field_name(variable.lower()), "variable": variable, "title": variable, "type": "secret"}
        )
        yield f"{variable} is asked of each installation; the value in the file was dropped."
