"""From options on the command line to the body of a request."""

import contextlib
import getpass
import json
import os
import shlex
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from archway.admin.lists import changed
from archway.admin.lookup import find
from archway.admin.moments import NoPeriod, before_now, from_now
from archway.admin.resource import Option
from archway.admin_client import AdminApi

LONGEST_FILE = 1 << 20
ORGANISATIONS = frozenset({"organisation", "organization"})
"""How people write it; the API has the first."""


class BadOption(Exception):
    """An option that cannot be read; the sentence names it and says what it takes."""


def body_of(
    api: AdminApi,
    options: Iterable[Option],
    given: Mapping[str, Any],
    file: str | None,
    now: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """The body: what the file holds, with the options over it; raises BadOption, NotInPart or NotNamed.

    `now` is the object as it is, for options that change a part of a list. A reference that is given as '' is none.
    """
    body = _without_shown(_from_file(file), options, now or {}, file) if file else {}
    filled: dict[str, Option] = {}
    emptied: dict[str, str] = {}
    for option in options:
        value = given.get(option.flag or option.name)
        if value is None or value == [] or (option.kind == "prompt" and not value):
            continue
        if option.empties and value == "":
            body[option.name], emptied[option.name] = None, option.option
            continue
        if option.name in emptied:
            raise BadOption(f"{option.option} has no place where {emptied[option.name]} is ''; give one of the two")
        taken = _taken(api, option, value)
        if option.part:
            _refuse_both(filled.get(option.field), option)
            there = option.of_it(body)
            taken = changed(api, option, option.of_it(now or {}) if there is None else there, taken)
            if not option.member:
                body[option.name] = taken
                continue
        for name in reversed(option.member.split(".") if option.member else ()):
            taken = {name: taken}
        if option.field in filled and not isinstance(taken, dict):
            raise BadOption(f"{filled[option.field].option} and {option.option} say the same; give one of them")
        if not option.part:
            filled[option.field] = option
        # Two options may fill one field: plain answers and secret ones, or members of one object.
        body[option.name] = _merged(body.get(option.name), taken)
    for name, value in _from_environment(given.get("value_from_env") or ()).items():
        _put_secret(body, options, name, value)
    return body


def _taken(api: AdminApi, option: Option, value: Any) -> Any:
    """One option's value, where '' alone is no object, and an empty list or map."""
    if option.kind == "reference" and value == "":
        return None
    if option.kind in {"list", "references", "map"} and value == [""]:
        return {} if option.kind == "map" else []
    return read(api, option, value)


def _merged(below: Any, over: Any) -> Any:
    """Of two objects one with the members of both, in each member too; else what is over the other."""
    if not isinstance(below, dict) or not isinstance(over, dict):
        return over
    return below | {name: _merged(below.get(name), value) for name, value in over.items()}


def _refuse_both(whole: Option | None, part: Option) -> None:
    if whole is not None:
        raise BadOption(f"{whole.option} replaces the whole, and {part.option} a part of it; give one of the two")


def _put_secret(body: dict[str, Any], options: Iterable[Option], name: str, value: str) -> None:
    """A field of its own where one has this name; one of the secret values whose option stands before it and a dot,
    as in `run-secret.TOKEN`; else one of the first.
    """
    if any(option.kind == "prompt" and option.name == name for option in options):
        body[name] = value
        return
    fields = {option.option: option.name for option in options if option.kind == "secrets"}
    for option, field in fields.items():
        if name.startswith(prefix := f"{option.removeprefix('--')}."):
            body[field] = {**body.get(field, {}), name.removeprefix(prefix): value}
            return
    if not fields:
        raise BadOption(f"--value-from-env: there is no secret named {name}")
    field = next(iter(fields.values()))
    body[field] = {**body.get(field, {}), name: value}


def read(api: AdminApi, option: Option, value: Any) -> Any:
    """One option's value as the API takes it."""
    match option.kind:
        case "reference":
            return find(api, option.of, value)
        case "references":
            return [find(api, option.of, one) for one in value]
        case "owner":
            return None if value in ORGANISATIONS else find(api, "team", value)
        case "principal":
            return principal(api, value)
        case "period" | "moment":
            return _moment(option, value)
        case "number":
            return int(value) if float(value).is_integer() else value
        case "map":
            return dict(_pair(option, one) for one in value)
        case "json":
            return _json(option, value)
        case "command":
            return _words(option, value)
        case "file":
            return text_of(option.option, value) if value else ""
        case "prompt" | "secrets":
            return _prompt(option.name) if option.kind == "prompt" else {name: _prompt(name) for name in value}
        case _:
            return value


def principal(api: AdminApi, text: str) -> str:
    """`user:ID`, `team:ID`, `service:ID` or `organisation` for an e-mail, a name, `team:NAME`, `service:NAME`, where
    that is an OAuth client that acts by itself; `external:ID` as it is. Raises NotNamed.
    """
    if text in ORGANISATIONS:
        return "organisation"
    kind, separator, name = text.partition(":")
    if separator and kind in {"user", "team"}:
        return f"{kind}:{find(api, kind, name)}"
    if separator and kind == "external":
        return text
    if separator and kind == "service":
        return f"service:{find(api, 'oauth_client', name)}"
    return f"user:{find(api, 'user', text)}"


def _moment(option: Option, text: str) -> str:
    try:
        return from_now(text) if option.kind == "period" else before_now(text)
    except NoPeriod as why:
        raise BadOption(f"{option.option} {why}") from None


def _pair(option: Option, text: str) -> tuple[str, Any]:
    """`name=text`, or `name:=json` for a number or a truth value."""
    name, separator, value = text.partition("=")
    typed = name.endswith(":")
    name = name.removesuffix(":")
    if not separator or not name:
        raise BadOption(f"{option.option} takes name=value; got {text!r}")
    return name, _json(option, value) if typed else value


def _words(option: Option, text: str) -> list[str]:
    try:
        return shlex.split(text)
    except ValueError as why:
        raise BadOption(f"{option.option} takes a command as a shell reads it: {why}") from None


def _json(option: Option, text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError as why:
        example = f" such as '{option.example}'" if option.example else ""
        raise BadOption(f"{option.option} takes JSON{example}: {why}") from None


def _prompt(name: str) -> str:
    if not sys.stdin.isatty():
        raise BadOption(f"{name} is asked for at a terminal; in a script use --value-from-env {name}=VARIABLE")
    return getpass.getpass(f"{name}: ")


def _from_environment(pairs: Iterable[str]) -> dict[str, str]:
    values = {}
    for text in pairs:
        name, separator, variable = text.partition("=")
        if not separator:
            raise BadOption(f"--value-from-env takes name=VARIABLE; got {text!r}")
        if variable not in os.environ:
            raise BadOption(f"--value-from-env {text}: {variable} is not set")
        values[name] = os.environ[variable]
    return values


def _without_shown(
    body: dict[str, Any], options: Iterable[Option], now: Mapping[str, Any], file: str
) -> dict[str, Any]:
    """Of a file that holds the object as it was shown: what can be changed, and whatever differs from `now`.

    Raises BadOption where somebody else has changed the object since.
    """
    settable = {option.name for option in options}
    if {"version"} <= body.keys() & now.keys() - settable and body["version"] != now["version"]:
        raise BadOption(f"--body {file}: somebody has changed it since it was shown; show it again, and edit that")
    return {name: value for name, value in body.items() if name in settable or name not in now or now[name] != value}


def _from_file(name: str) -> dict[str, Any]:
    """One object, of JSON where the file begins with a brace or bracket or is called .json, else of YAML."""
    text = text_of("--body", name)
    try:
        value = json.loads(text) if _is_json(name, text) else _from_yaml(name, text)
    except ValueError as why:
        raise BadOption(f"--body {name}: {why}") from None
    if not isinstance(value, dict):
        raise BadOption(f'--body {name}: must hold one object, such as {{"name": "Time"}} or name: Time')
    return value


def text_of(option: str, name: str) -> str:
    """What is in the file of an option, or on standard input; BadOption for what cannot be read, or is too long."""
    try:
        with contextlib.nullcontext(sys.stdin) if name == "-" else Path(name).open(encoding="utf-8") as file:
            text = file.read(LONGEST_FILE + 1)
    except OSError as why:
        raise BadOption(f"{option} {name}: {why.strerror or why}") from None
    except ValueError as why:
        raise BadOption(f"{option} {name}: {why}") from None
    if len(text) > LONGEST_FILE:
        raise BadOption(f"{option} {name}: is larger than {LONGEST_FILE >> 20} MiB; YAML may have 64 KiB")
    return text


def _is_json(name: str, text: str) -> bool:
    kind = Path(name).suffix.lower()
    return kind == ".json" or (kind not in {".yaml", ".yml"} and text.lstrip()[:1] in {"{", "["})


def _from_yaml(name: str, text: str) -> Any:
    from core.strict_yaml import NotStrict, read_yaml

    try:
        return read_yaml(text)
    except NotStrict as why:
        raise BadOption(f"--body {name}: {why}") from None
