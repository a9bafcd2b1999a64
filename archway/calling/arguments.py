"""A tool's arguments as they are typed: `name=text`, or `name:=JSON` for all that is no text.

One rule, so that nothing depends on what a text looks like: `zip=01234` stays a text. Where the tool's schema says
plainly that an argument is no text, `name=text` is refused before anything is sent, and the sentence has the cure.
"""

import json
from collections.abc import Iterable, Mapping
from typing import Any


class BadArgument(Exception):
    """An argument that cannot be read; the sentence says how it is written."""


def arguments_of(texts: Iterable[str], schema: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments, checked for texts where the schema takes none; raises BadArgument."""
    arguments: dict[str, Any] = {}
    for text in texts:
        name, value, is_json = _split(text)
        if name in arguments:
            raise BadArgument(f"{name} is given twice")
        arguments[name] = _read(name, value) if is_json else _plain(name, value, schema)
    return arguments


def usage_of(schema: Mapping[str, Any]) -> str:
    """How the arguments of this schema are typed, in one line; those that may be left out in brackets."""
    properties, needed = schema.get("properties"), schema.get("required")
    if not isinstance(properties, dict):
        return ""
    needed = needed if isinstance(needed, list) else []
    words = [
        (name, f"{name}={'...' if _takes_text(one) else _FORMS.get(str(one.get('type')), ':=...')}")
        for name, one in properties.items()
        if isinstance(one, dict)
    ]
    words = [(name, word.replace("=:=", ":=")) for name, word in words]
    return " ".join(word if name in needed else f"[{word}]" for name, word in words)


_FORMS = {"integer": ":=3", "number": ":=1.5", "boolean": ":=true", "array": ":=[]", "object": ":={}"}
"""What an argument of a type looks like."""


def _split(text: str) -> tuple[str, str, bool]:
    name, separator, value = text.partition("=")
    is_json = name.endswith(":")
    name = name.removesuffix(":")
    if not separator or not name:
        raise BadArgument(f"an argument is name=text or name:=JSON, such as city=Paris or days:=3; got {text!r}")
    return name, value, is_json


def _read(name: str, value: str) -> Any:
    try:
        return json.loads(value)
    except ValueError as why:
        raise BadArgument(f"{name}:= takes JSON, such as {name}:=3 or {name}:='[1, 2]': {why}") from None


def _plain(name: str, value: str, schema: Mapping[str, Any]) -> str:
    properties = schema.get("properties")
    one = properties.get(name) if isinstance(properties, dict) else None
    if isinstance(one, dict) and not _takes_text(one):
        form = _FORMS.get(str(one["type"]), ":=...")
        raise BadArgument(f"{name} takes {_kind(one['type'])} and no text: write it as JSON, such as {name}{form}")
    return value


def _takes_text(one: Mapping[str, Any]) -> bool:
    """Whether a text may do; only a `type` that names other types says that it cannot."""
    kind = one.get("type")
    if isinstance(kind, list):
        return "string" in kind
    return not isinstance(kind, str) or kind == "string"


def _kind(kind: object) -> str:
    words = [str(one) for one in kind] if isinstance(kind, list) else [str(kind)]
    return " or ".join(f"an {word}" if word[:1] in "aeiou" else f"a {word}" for word in words)
