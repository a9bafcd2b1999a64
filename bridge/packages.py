"""Which package the program that runs is of, and in which version: what `npx` or `uvx` came to in the end.

Asked by `kept_server.py` once the server has answered, and told by `/healthz` and in its log, since a command may
name a package without a version. Read is the script that the server's processes run: one of npm lies in the folder of
its package (npm's page "folders"), one of Python in the environment whose metadata has it as an entry point
(https://packaging.python.org/en/latest/specifications/entry-points/). Blocks, for some milliseconds; what cannot be
read is left out.
"""

import configparser
import json
import os
import stat
from collections.abc import Iterable, Iterator
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import Final

from bridge.orphans import descendants

Package = tuple[str, str]
"""Name and version."""
MOST: Final = 8
"""Packages that are told."""
_LONGEST: Final = 200
"""Characters of a name or a version."""
_MOST_PROCESSES: Final = 64
_MOST_INSTALLED: Final = 2_000
"""Packages of one environment that are looked at."""
_LONGEST_FILE: Final = 1 << 20
_WORDS: Final = 3
"""Of a command line, in which a script is looked for: `node --flag SCRIPT`."""
_RUNNERS: Final = frozenset({"npm", "npx", "uv"})
"""Packages that only fetch and start others."""


def running_packages() -> list[Package]:
    """Those of the programs that run below this process."""
    found = (one for pid in descendants(os.getpid())[:_MOST_PROCESSES] for one in _of_process(pid))
    return sorted(set(found))[:MOST]


def packages_of(command: Iterable[str]) -> Iterator[Package]:
    """Those whose scripts a command line names."""
    for word in command:
        if not word.startswith("/"):
            continue
        with suppress(OSError, ValueError, KeyError, TypeError, RecursionError, configparser.Error):
            if (package := _of_npm(Path(word)) or _of_python(Path(word))) and package[0] not in _RUNNERS:
                yield package


def _of_process(pid: int) -> Iterator[Package]:
    with suppress(OSError):
        program, *words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")[:_WORDS]
        # A program that is no script comes last: it may be an interpreter that is a package itself.
        yield from islice(packages_of(os.fsdecode(word) for word in (*words, program)), 1)


def _of_npm(script: Path) -> Package | None:
    """The package in whose folder the script lies, behind the links in `node_modules/.bin`."""
    parts = script.resolve(strict=True).parts
    if "node_modules" not in parts[:-1]:
        return None
    begin = len(parts) - 1 - parts[::-1].index("node_modules")
    length = 2 if parts[begin + 1].startswith("@") else 1
    told = json.loads(_text(Path(*parts[: begin + 1 + length], "package.json")))
    return _package(told["name"], told["version"])


def _of_python(script: Path) -> Package | None:
    """The package of the script's environment that has it as an entry point."""
    environment = script.parent.parent
    if script.parent.name != "bin" or not (environment / "pyvenv.cfg").is_file():
        return None
    installed = environment.glob("lib/python*/site-packages/*.dist-info/entry_points.txt")
    for number, path in enumerate(installed):
        if number >= _MOST_INSTALLED:
            return None
        declared = configparser.ConfigParser(delimiters=("=",), interpolation=None, strict=False)
        declared.optionxform = str  # type: ignore[assignment,method-assign]  # names keep their capitals
        with suppress(OSError, ValueError, configparser.Error):
            declared.read_string(_text(path))
        if declared.has_option("console_scripts", script.name):
            name, _, version = path.parent.name.removesuffix(".dist-info").partition("-")
            return _package(name.replace("_", "-"), version)
    return None


def _package(name: object, version: object) -> Package:
    for text in (name, version):
        if not isinstance(text, str) or not text.isprintable() or not 0 < len(text) <= _LONGEST:
            raise ValueError(text)
    return str(name), str(version)


def _text(path: Path) -> str:
    # The server may have put there what it likes: a pipe would be waited for.
    with os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise ValueError(path)
        return file.read(_LONGEST_FILE).decode()
