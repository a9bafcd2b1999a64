"""What a tool's definition holds beside name, texts and schemas: annotations, icons, `execution`, `_meta`.

Called by `tool_definitions.py`. All of it is optional, and no client needs it to call the tool. So what is not of the
protocol's shape is left out with a sentence and the tool stays; null counts as absent, as some servers write it.
Icons are shown to people and may be loaded by their clients: only `https` and image data go on.
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final
from urllib.parse import urlsplit

from control.registry.definition_texts import safe_text

MAX_TITLE: Final = 256
MAX_ICONS: Final = 8
MAX_ICON_URL: Final = 2_048
MAX_ICON_DATA: Final = 32_768
"""Characters of one `data:` URI."""

Taken = tuple[Any, list[str]]
"""What is kept of a field (None: nothing), and a sentence for each thing that is not as it was given."""

_OUR_KEYS: Final = "archway/"
_HINTS: Final = ("readOnlyHint", "destructiveHint", "idempotentHint", "openWorldHint")
_TASKS: Final = ("required", "optional", "forbidden")
_DATA_URI: Final = re.compile(r"data:image/[A-Za-z0-9.+-]{1,64}[;,][!-~]*")
_PLAIN: Final = re.compile(r"[!-~]+")
_SIZE: Final = re.compile(r"[0-9]{1,5}x[0-9]{1,5}|any")
_MEDIA_TYPE: Final = re.compile(r"image/[A-Za-z0-9.+-]{1,64}")


def extras_of(given: Mapping[str, object], secrets: Sequence[str] = ()) -> tuple[dict[str, Any], list[str]]:
    """The optional fields that clients may see, and a sentence for each thing that is not as it was given.

    `secrets`: those of the installation, in the forms in which a server may write them; a field that repeats one in
    a URL or anywhere else is left out.
    """
    kept: dict[str, Any] = {}
    changes: list[str] = []
    for field, take in _FIELDS.items():
        if (value := given.get(field)) is None:
            continue
        taken, told = take(value)
        if taken and secrets and _holds_any(taken, secrets):
            taken, told = None, [f"Its {field} was left out: a secret of the installation stands in it."]
        changes += told
        if taken:
            kept[field] = taken
    return kept, changes


def _holds_any(value: object, secrets: Sequence[str]) -> bool:
    text = json.dumps(value, ensure_ascii=False)
    return any(secret in text for secret in secrets)


def _annotations(given: object) -> Taken:
    if not isinstance(given, dict):
        return None, ["Its annotations were left out: they should be an object."]
    kept: dict[str, Any] = {}
    changes: list[str] = []
    for hint in _HINTS:
        if isinstance(given.get(hint), bool):
            kept[hint] = given[hint]
        elif given.get(hint) is not None:
            changes.append(f"Its annotations.{hint} was left out: it should be true or false.")
    title = given.get("title")
    if isinstance(title, str):
        kept["title"], told = safe_text(title, MAX_TITLE, "annotations.title")
        changes += told
    elif title is not None:
        changes.append("Its annotations.title was left out: it should be a string.")
    return kept, changes


def _execution(given: object) -> Taken:
    support = given.get("taskSupport") if isinstance(given, dict) else None
    if support in _TASKS:
        return {"taskSupport": support}, []
    if isinstance(given, dict) and support is None:
        return None, []
    return None, [f"Its execution was left out: taskSupport should be one of {', '.join(_TASKS)}."]


def _meta(given: object) -> Taken:
    if not isinstance(given, dict):
        return None, ["Its _meta was left out: it should be an object."]
    kept = {key: value for key, value in given.items() if not key.lower().startswith(_OUR_KEYS)}
    lost = len(given) - len(kept)
    return kept, [f"Its _meta lost {lost} that begin with {_OUR_KEYS}: only Archway writes those."] if lost else []


def _icons(given: object) -> Taken:
    if not isinstance(given, list):
        return None, ["Its icons were left out: they should be a list."]
    kept: list[dict[str, Any]] = []
    changes: list[str] = []
    for number, icon in enumerate(given[:MAX_ICONS]):
        source = icon.get("src") if isinstance(icon, dict) else None
        if not isinstance(icon, dict) or (reason := _why_no_source(source)) is not None:
            reason = "it should be an object" if not isinstance(icon, dict) else reason
            changes.append(f"Its icons[{number}] was left out: {reason}.")
            continue
        kept.append({"src": source, **_about_icon(icon)})
    if len(given) > MAX_ICONS:
        changes.append(f"It has {len(given)} icons; the first {MAX_ICONS} are kept.")
    return kept, changes


def _about_icon(icon: Mapping[str, object]) -> dict[str, Any]:
    """What may be said of an icon; anything odd is of no use to a client and goes without a word."""
    about: dict[str, Any] = {}
    kind, sizes, theme = icon.get("mimeType"), icon.get("sizes"), icon.get("theme")
    if isinstance(kind, str) and _MEDIA_TYPE.fullmatch(kind):
        about["mimeType"] = kind
    if isinstance(sizes, list) and all(isinstance(one, str) and _SIZE.fullmatch(one) for one in sizes):
        about["sizes"] = sizes[:16]
    if isinstance(theme, str) and theme in {"light", "dark"}:
        about["theme"] = theme
    return about


def _why_no_source(source: object) -> str | None:
    if not isinstance(source, str):
        return "its src should be a string"
    if source[:5].lower() == "data:":
        if len(source) > MAX_ICON_DATA:
            return f"its data has {len(source)} characters; at most {MAX_ICON_DATA} are allowed"
        return None if _DATA_URI.fullmatch(source) else "its data should be an image"
    try:
        url = urlsplit(source)
        sound = url.scheme == "https" and bool(url.hostname) and url.username is None and url.password is None
    except ValueError:
        sound = False
    if not sound or len(source) > MAX_ICON_URL or _PLAIN.fullmatch(source) is None:
        return f"its src should be an image as data, or an https URL of at most {MAX_ICON_URL} characters"
    return None


_FIELDS: Final[Mapping[str, Callable[[object], Taken]]] = {
    "annotations": _annotations,
    "icons": _icons,
    "execution": _execution,
    "_meta": _meta,
}
