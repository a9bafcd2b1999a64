"""Which package the command of a server fetches at its start, and whether it names one version of it. Pure.

`npx` and `uvx` take the newest that there is where none is named: another program then runs one day, which nobody has
looked at. Called by pages and by the import of clients' files, to say so; nothing is refused for it.
The page of npm on `npx`, and https://docs.astral.sh/uv/guides/tools/, have how the two are told.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Final

_NAMES_ONE: Final[Mapping[str, re.Pattern[str]]] = {
    "npx": re.compile(r"(?:@[^/@]+/)?[^/@]+@v?\d+\.\d+\.\d+[\w.+-]*|.+#[0-9a-f]{40}"),
    "uvx": re.compile(r"[^@=<>~!]+(?:==|@)\d+(?:\.\w+)*|.+@[0-9a-f]{40}"),
}
"""By program, a package of which only one version can come; of a repository, one commit."""
_PACKAGE_OPTIONS: Final = frozenset({"-p", "--package", "--from"})
_OPTIONS_WITH_A_VALUE: Final = frozenset(
    {"--with", "--python", "--index", "--index-url", "--default-index", "--extra-index-url", "--registry", "-w",
     "--workspace"}
)  # fmt: skip


def unpinned_package(command: Sequence[str]) -> str:
    """The package of which the command takes whatever version is newest; '' where it names one, or fetches none."""
    if not command or command[0] not in _NAMES_ONE:
        return ""
    package = _package(command[0], command[1:])
    return "" if not package or _NAMES_ONE[command[0]].fullmatch(package) else package


def _package(program: str, words: Sequence[str]) -> str:
    options = _PACKAGE_OPTIONS - {"-p"} if program == "uvx" else _PACKAGE_OPTIONS  # uvx -p is a version of Python
    skipped = _OPTIONS_WITH_A_VALUE | ({"-p"} if program == "uvx" else set())
    waiting = iter(words)
    for word in waiting:
        name, equals, value = word.partition("=")
        if name in options:
            return value if equals else next(waiting, "")
        if word in skipped:
            next(waiting, "")
        elif not word.startswith("-"):
            return word
    return ""
