"""Arguments of a server that we run which an installation fills: `${user_config.folder}` is one whole argument.

Called when an entry is saved (`argument_places`) and where an installation's own command is made
(`filled_command`). An answer is an argument and nothing else: no part of one, no option (`-` at its beginning), no
program and no package, so that whoever answers never chooses what runs. No shell is anywhere: arguments are handed
over as a list. A secret is no argument, since every process of a machine may read those of the others.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Final

from control.registry.broken_rule import BrokenRule

MAX_ARGUMENT: Final = 4_096
"""Characters of one argument."""
_PLACEHOLDER: Final = re.compile(r"\$\{user_config\.([a-z][a-z0-9_]{0,39})\}")
_ALMOST: Final = "${user_config"


def argument_places(command: Sequence[str], where: str = "run.command") -> tuple[str, ...]:
    """The names of the answers that are arguments of this command; BrokenRule for a placeholder that is no whole
    argument, that is the program, or that stands twice.
    """
    names: list[str] = []
    for number, argument in enumerate(command):
        found = _PLACEHOLDER.fullmatch(argument)
        if found is None:
            if _ALMOST in argument:
                raise BrokenRule(
                    f"{where}[{number}]",
                    "has ${user_config....} as a part of an argument; it must be the whole argument, "
                    "with a field's name of a-z, 0-9 and '_': ${user_config.folder}",
                )
            continue
        if number == 0:
            raise BrokenRule(f"{where}[0]", "is the program, which no answer may choose; write its name")
        if found[1] in names:
            raise BrokenRule(f"{where}[{number}]", f"has {argument} again; each may stand once")
        names.append(found[1])
    return tuple(names)


def name_in(argument: str) -> str:
    """The name of the answer that this argument is; '' where it is the entry's own."""
    found = _PLACEHOLDER.fullmatch(argument)
    return found[1] if found else ""


def filled_command(command: Sequence[str], answers: Mapping[str, str], where: str = "values") -> tuple[str, ...]:
    """Program and arguments with every placeholder filled; BrokenRule names the answer that cannot be one."""
    made = []
    for argument in command:
        name = name_in(argument)
        if not name:
            made.append(argument)
            continue
        wrong = "is needed" if name not in answers else why_no_argument(answers[name])
        if wrong is not None:
            raise BrokenRule(f"{where}.{name}", wrong)
        made.append(answers[name])
    return tuple(made)


def why_no_argument(answer: str) -> str | None:
    """Why this answer cannot be an argument, without repeating it; None where it can."""
    if not 1 <= len(answer) <= MAX_ARGUMENT:
        return f"must have 1 to {MAX_ARGUMENT} characters: it is an argument of the server's command"
    if answer.startswith("-"):
        return "must not begin with '-': it is an argument, and the server would take it for an option"
    if not answer.isprintable():
        return "must be one line without control characters: it is an argument of the server's command"
    return None
