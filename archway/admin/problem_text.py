"""What a refusal of the admin API says on the command line: its cures in the words of commands and options.

The API names fields and paths, as its own callers need them. Here `team_id` becomes `--team`, `tools[0]` the option
with the value that was typed, and `/entries` the command that lists entries. Pure; called by commands.py.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from archway.admin.resource import Option
from archway.admin_client import Problem

_BEHIND = re.compile(r"^(?:\[(?P<index>\d+)\])?\.?(?P<rest>.*)$")
_LIST = re.compile(r"\b(?P<verb>list|see) /(?P<path>[a-z{][a-z0-9{}_/-]*)")
_TOOLS = re.compile(r"^entries/(?P<entry>[^/]+)/tools$")


def problem_text(problem: Problem, options: Iterable[Option] = (), given: Mapping[str, Any] | None = None) -> str:
    """Sentences for a person, each once. `given` is what was typed, by the options' names."""
    options = list(options)
    known = {option.field: option for option in reversed(options)}
    given = given or {}
    lines = [_line(name, message, known, options, given) for name, message in problem.errors if name != "cascade"]
    said_by_lines = any(message in problem.detail for name, message in problem.errors if name != "cascade")
    if not lines or not said_by_lines:
        lines = [_sentence(problem.detail or problem.title, known, given), *("  " + line for line in lines)]
    return "\n".join([f"{lines[0]} ({problem.status})", *lines[1:]])


def _line(
    name: str, message: str, known: Mapping[str, Option], options: Sequence[Option], given: Mapping[str, Any]
) -> str:
    message = _sentence(message, known, given)
    option = _option_of(name, options, given)
    behind = _BEHIND.match(name.removeprefix(option.field)) if option and name.startswith(option.field) else None
    if option is None:
        return f"{name}: {message}" if name else message
    value = _typed(_given(option, given), behind["index"] if behind else None)
    place = " ".join(part for part in (option.option, value, behind["rest"] if behind else "") if part)
    like = option.example_for(given)
    example = f"; for example {option.option} '{like}'" if like else ""
    return f"{place}: {message}{example}"


def _option_of(name: str, options: Sequence[Option], given: Mapping[str, Any]) -> Option | None:
    """Of the options of a field, or of the object that it is, the closest, and rather one that was typed."""
    around = [one for one in options if re.match(rf"{re.escape(one.field)}(?:[.\[]|$)", name)]
    within = [one for one in options if one.field.startswith(f"{name}.")]
    closest = max((len(one.field) for one in around), default=0)
    those = [one for one in around if len(one.field) == closest] or within
    return next((one for one in those if _given(one, given)), those[0] if those else None)


def _given(option: Option, given: Mapping[str, Any]) -> Any:
    return given.get(option.flag or option.name)


def _typed(typed: Any, index: str | None) -> str:
    """The one value at fault of an option that was given several times; others may be secret and stay untold."""
    if index is None:
        return ""
    return str(typed[int(index)]) if isinstance(typed, list) and int(index) < len(typed) else f"[{index}]"


def _sentence(text: str, known: Mapping[str, Option], given: Mapping[str, Any]) -> str:
    text = text.replace("?cascade=true", "--cascade")
    text = _LIST.sub(lambda found: f"see `{_command(found['path'], given)}`", text)
    text = re.sub(r"\bor null\b", "or leave it out", text)
    text = re.sub(r"\bgive the (\w+)'s id\b", r"name the \1", text)
    for name, option in known.items():
        text = text.replace(f"`{name}`", f"`{option.option}`")
        if "_" in name:  # without one a field's name may be a word of the sentence
            text = re.sub(rf"(?<![\w`-]){re.escape(name)}(?!\w)", option.option, text)
    return text


def _command(path: str, given: Mapping[str, Any]) -> str:
    """The command that lists what the path lists."""
    tools = _TOOLS.match(path)
    if tools:
        return f"archway entries tools {given.get('entry') or tools['entry'].strip('{}')}"
    return f"archway {path.partition('/')[0]} list"
