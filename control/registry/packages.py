"""What a command runs, where its program runs others: the package of `npx` and `uvx`, the script of an interpreter.

Called when an entry is saved: no answer of an installation may be what runs, or say where it comes from; and for the
warnings, where a package without a version may be another one at each start. Pure; asks no registry. Sources: the
help of npx 10 and uvx 0.9, npm's "package-spec", PEP 508.
"""

import re
from collections.abc import Sequence
from typing import Final, NamedTuple

from control.registry.arguments import name_in
from control.registry.broken_rule import BrokenRule

_OF_NODE: Final = frozenset({"npx", "pnpx", "bunx"})
_OF_PYTHON: Final = frozenset({"uvx"})
_INTERPRETERS: Final = frozenset(
    {
        "node", "python", "ruby", "perl", "php", "java", "lua", "sh", "bash", "dash", "ash", "zsh", "ksh", "fish",
        "pwsh", "tsx", "ts-node", "uvicorn", "gunicorn",
    }
)  # fmt: skip
_WITH_WORDS: Final = frozenset(
    {"deno", "bun", "npm", "pnpm", "yarn", "uv", "pipx", "pipenv", "poetry", "go", "dotnet", "mcp", "fastmcp"}
)
"""Those whose first words say what they do with what follows."""
_WORDS: Final = frozenset({"run", "exec", "dlx", "x", "tool", "task", "dev"})
_STARTERS: Final = frozenset(
    {
        "env", "xargs", "nohup", "timeout", "nice", "setsid", "stdbuf", "tini", "dumb-init", "busybox", "sudo",
        "gosu", "su-exec",
    }
)  # fmt: skip
"""Those that start the program that they are told."""
_ALL: Final = _OF_NODE | _OF_PYTHON | _INTERPRETERS | _WITH_WORDS | _STARTERS
_WITH_VALUE: Final = frozenset(
    {
        "-p", "--package", "--from", "--with", "--with-editable", "--with-requirements", "--python", "--index",
        "--index-url", "--default-index", "--extra-index-url", "--find-links", "--registry", "--prefix", "--cwd",
        "--directory", "-w", "--workspace", "--cache", "-r", "--require", "--import", "--loader", "-W", "-X", "-C",
        "--conditions", "--project",
    }
)  # fmt: skip
"""Options whose value is the next argument, and no package of its own."""
_PACKAGE_OPTIONS: Final = ("-p", "--package", "--from")
_IS_CODE: Final = frozenset({"-c", "-e", "-m", "--eval", "--call", "--print", "-jar"})
"""Options whose value is what runs."""
_VERSIONED: Final = re.compile(r"[\d.]+$")
_EXACT: Final = re.compile(r"v?\d+(?:\.\d+)*(?:[-+.]?[0-9A-Za-z.+-]+)?")
_COMMIT: Final = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")


class Package(NamedTuple):
    """A package that a runner fetches at its start, as the command names it."""

    spec: str
    pinned: bool
    """Whether it is the same one at each start."""
    example: str
    """How it is written with a version."""


def package_of(command: Sequence[str]) -> Package | None:
    """What `npx` or `uvx` fetches for this command; None where it fetches nothing."""
    program = _program(command)
    if program not in _OF_NODE | _OF_PYTHON:
        return None
    spec = _spec(command)
    if not spec:
        return None
    return _of_node(spec) if program in _OF_NODE else _of_python(spec)


def unpinned_package(command: Sequence[str]) -> str:
    """The package of which the command takes whatever version is newest; '' where it names one, or fetches none."""
    package = package_of(command)
    return "" if package is None or package.pinned else package.spec


def check_chooses_no_code(command: Sequence[str], where: str = "run.command") -> None:
    """BrokenRule where an answer would be what runs, or what a runner or interpreter is told before it."""
    program = _program(command)
    if program not in _ALL:
        return
    last = _code_at(command)
    for number, argument in enumerate(command):
        if name_in(argument) and number <= last:
            raise BrokenRule(
                f"{where}[{number}]",
                f"would let an answer choose what {program} runs; write that, and put {argument} behind it",
            )


def _program(command: Sequence[str]) -> str:
    """The name of the program: `npx` of `/usr/bin/npx`, `python` of `python3.12`."""
    return _VERSIONED.sub("", command[0].rsplit("/", 1)[-1]) if command else ""


def _code_at(command: Sequence[str]) -> int:
    """The place of the package, script or program text that runs; the last place where there is none."""
    program = _program(command)
    if program in _STARTERS:
        for number in range(1, len(command)):
            if _program(command[number:]) in _ALL:
                return number + _code_at(command[number:])
    place = _word_at(command, 1)
    while program in _WITH_WORDS and command[place] in _WORDS and place < len(command) - 1:
        place = _word_at(command, place + 1)
    return place


def _word_at(command: Sequence[str], begin: int) -> int:
    """The place of the first argument that is no option, nor the value of one that is no code."""
    value_of = ""
    for number, argument in enumerate(command[begin:], begin):
        if value_of:
            if value_of in _IS_CODE:
                return number
            value_of = ""
        elif argument.startswith("-") and argument not in {"-", "--"}:
            value_of = argument if argument in _WITH_VALUE | _IS_CODE else ""
        elif argument != "--":
            return number
    return len(command) - 1


def _spec(command: Sequence[str]) -> str:
    """The package: the one that an option names, else the first argument that is none."""
    last = _code_at(command)
    options = _PACKAGE_OPTIONS if _program(command) in _OF_NODE else ("--from",)  # -p of uvx is a version of Python
    for number, argument in enumerate(command[: last + 1]):
        for option in options:
            if argument == option and number < last:
                return command[number + 1]
            if argument.startswith(f"{option}="):
                return argument.partition("=")[2]
    return command[last] if last and not command[last].startswith("-") else ""


def _of_node(spec: str) -> Package:
    name, version = spec, ""
    if "@" in spec[1:]:
        name, _, version = spec.rpartition("@")
    pinned = bool(_EXACT.fullmatch(version)) and any(one.isdigit() for one in version) and version.count(".") >= 2
    pinned = pinned or bool(_COMMIT.fullmatch(spec.rpartition("#")[2]))
    return Package(spec, pinned, f"{name}@1.2.3")


def _of_python(spec: str) -> Package:
    name, separator, version = spec.partition("==")
    if not separator:
        name, _, version = spec.partition("@")
    name = name.strip()
    if spec.startswith("git+"):
        return Package(spec, bool(_COMMIT.fullmatch(spec.rpartition("@")[2])), f"{spec}@COMMIT")
    version = version.strip()
    return Package(spec, bool(_EXACT.fullmatch(version)), f"{name}==1.2.3")
