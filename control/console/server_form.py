"""The part of an entry's form that says which server Archway runs: image, command, environment, what it may use.

Called by `entry_form.py`. Names of its fields are the paths of the admin API. A command is typed as in a shell, and
no shell ever sees it. Of secrets it holds the names alone. Leaves out what may be saved.
"""

import re
import shlex
from collections.abc import Mapping
from typing import Any, Final

from control.console.form_rows import rows_of, with_rows
from control.console.forms import Form
from control.registry.broken_rule import BrokenRule
from control.registry.self_hosted import Resources, SelfHosted

SECRETS: Final = "run_secrets"
ITS_SECRETS: Final = "Its secrets"
"""What is told of them where no row has what is meant, above the form: secrets that are kept have no row."""
"""The rows of variables and files whose values are sealed."""
BLANK_SECRET: Final[Mapping[str, str]] = {"name": "", "value": "", "file": ""}
PULLS: Final = "run.pull_secrets."
"""Before the identifier of a pull secret that its image is fetched with: a box to tick."""
_COMMAND: Final = "run.command"
_TEXTS: Final = ("transport", "image", "path", "health_path")
_OVER_HTTP: Final = ("port", "path", "health_path")
_RESOURCES: Final = Resources.__struct_fields__
_PLAIN: Final = re.compile(r"""[^\s'"\\]+""")
_PART: Final = re.compile(r"(run\.\w+|run\.resources\.\w+)(?:\[|\.|$).*")
_SECRET: Final = re.compile(r"run_secrets(?:\.(.+)|\[([0-9]+)\])?")


def form_of_server(server: SelfHosted) -> dict[str, str]:
    """What stands in the form for a server; for a new one that of `SelfHosted()`."""
    given = {f"run.{name}": getattr(server, name) for name in _TEXTS}
    given |= {
        _COMMAND: typed_command(server.command),
        "run.port": str(server.port),
        "run.idle_minutes": str(server.idle_minutes or ""),
        "run.environment": "\n".join(f"{name}={value}" for name, value in server.environment.items()),
        f"{SECRETS}_none": "",
    }
    given |= {f"run.resources.{name}": getattr(server.resources, name) for name in _RESOURCES}
    return given | {f"{PULLS}{one}": "true" for one in server.pull_secrets}


def server_of_form(form: Form, mounted: tuple[str, ...] = ()) -> dict[str, Any]:
    """The server as the admin API takes it; BrokenRule for a command that cannot be read. `mounted`: the secrets that
    are files so far, which they stay where none are typed.
    """
    typed = sealed_values(form)
    files = mounted if typed is None else tuple(row["name"] for row in rows_of(form, SECRETS) if row.get("file"))
    pulls = [name.removeprefix(PULLS) for name in form.given if name.startswith(PULLS) and form.flag(name)]
    told = {
        **{name: form.value(f"run.{name}") for name in _TEXTS},
        "port": number_typed(form.value("run.port")),
        "idle_minutes": number_typed(form.value("run.idle_minutes") or "0"),
    }
    if told["transport"] == "stdio":  # what stands in the tab that is not chosen is left alone
        told |= {name: getattr(SelfHosted(), name) for name in _OVER_HTTP}
    return {
        **told,
        "command": _words(form.value(_COMMAND)),
        "environment": dict(_pair(line) for line in form.lines("run.environment")),
        "mounted": list(files),
        "resources": {name: form.value(f"run.resources.{name}") for name in _RESOURCES},
        "pull_secrets": pulls,
    }


def sealed_values(form: Form) -> dict[str, str] | None:
    """The variables and files with sealed values that were typed; None where those that are kept stay."""
    typed = {row.get("name", ""): row.get("value", "") for row in rows_of(form, SECRETS)}
    return typed if typed or form.flag(f"{SECRETS}_none") else None


def without_empty_rows(form: Form) -> Form:
    """The form without rows of secrets in which nothing was typed."""
    return with_rows(form, SECRETS, [row for row in rows_of(form, SECRETS) if row.get("name") or row.get("value")])


def form_field(form: Form, path: str) -> str:
    """The form's own name for a path of the API that is about the server."""
    if (part := _PART.fullmatch(path)) and path not in form.given:
        return part[1]
    if (found := _SECRET.fullmatch(path)) is None:
        return path
    names = [row.get("name", "") for row in rows_of(form, SECRETS)]
    number = int(found[2]) if found[2] else names.index(found[1]) if found[1] in names else 0
    if number < len(names):
        return f"{SECRETS}[{number}].{'value' if found[1] else 'name'}"
    return ITS_SECRETS if path == SECRETS else path


def number_typed(text: str) -> int | str:
    """What is no number stays as it is, for the rules to refuse."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else text


def _words(text: str) -> list[str]:
    try:
        return shlex.split(text)
    except ValueError:
        raise BrokenRule(_COMMAND, "has a quotation mark, or a backslash at its end, that closes nothing") from None


def typed_command(command: object) -> str:
    """Program and arguments as one types them; '' for what is no list of them."""
    return " ".join(_quoted(str(word)) for word in command) if isinstance(command, list | tuple) else ""


def _quoted(word: str) -> str:
    """As it is typed: `${user_config.X}` needs no quotation marks here, since no shell reads it."""
    return word if _PLAIN.fullmatch(word) else shlex.quote(word)


def _pair(line: str) -> tuple[str, str]:
    name, _, value = line.partition("=")
    return name.strip(), value.strip()
