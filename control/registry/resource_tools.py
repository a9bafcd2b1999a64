"""Tools that read the resources of a server which offers resources and no tools.

Called by discovery. Each resource becomes a tool `read_<name>` without arguments, so that it passes through
assignment, policy and records like every other tool. The proxy answers its call with `resources/read` of the URI.
"""

import re
from collections.abc import Iterable, Mapping
from hashlib import sha256
from typing import Any

MAX_URI = 2_048
MAX_NAME = 64
_FORBIDDEN = re.compile(r"[^A-Za-z0-9_-]+")
_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[\x21-\x7e]+")

Found = tuple[str, str, dict[str, Any]]
"""URI, name of the tool, definition."""


def read_tools(resources: Iterable[Mapping[str, object]]) -> tuple[list[Found], list[tuple[str, str]]]:
    """The tools for `resources` (as listed), and the ones left out with the reason.

    A name is made from the resource's own name; where two resources give one name, both names end in the hash
    of their URI, so that neither depends on the order of the list.
    """
    usable, rejected = _usable(resources)
    counts: dict[str, int] = {}
    for resource in usable.values():
        counts[_name(resource)] = counts.get(_name(resource), 0) + 1
    found: list[Found] = []
    for uri, resource in usable.items():
        name = _name(resource)
        if counts[name] > 1:
            name = f"{name[: MAX_NAME - 7]}_{sha256(uri.encode()).hexdigest()[:6]}"
        found.append((uri, name, _definition(uri, name, resource)))
    return found, rejected


def _usable(
    resources: Iterable[Mapping[str, object]],
) -> tuple[dict[str, Mapping[str, object]], list[tuple[str, str]]]:
    usable: dict[str, Mapping[str, object]] = {}
    rejected: list[tuple[str, str]] = []
    for resource in resources:
        uri = resource.get("uri")
        label = ascii(resource.get("name", ""))[:80]
        if not isinstance(uri, str) or len(uri) > MAX_URI or _URI.fullmatch(uri) is None:
            rejected.append((label, f"The resource's URI is missing, not ASCII or longer than {MAX_URI} characters."))
        elif uri in usable:
            rejected.append((label, "The server lists this URI more than once."))
        else:
            usable[uri] = resource
    return usable, rejected


def _name(resource: Mapping[str, object]) -> str:
    words = _FORBIDDEN.sub("_", str(resource.get("name") or resource.get("uri"))).strip("_")
    return f"read_{words or 'resource'}"[:MAX_NAME]


def _definition(uri: str, name: str, resource: Mapping[str, object]) -> dict[str, Any]:
    title = resource.get("title") or resource.get("name")
    about = resource.get("description")
    sentences = [f"Reads the resource {uri}."]
    if isinstance(about, str) and about.strip():
        sentences.append(about.strip())
    found: dict[str, Any] = {
        "name": name,
        "description": " ".join(sentences),
        "inputSchema": {"type": "object", "properties": {}, "additionalProperties": False},
        "annotations": {"readOnlyHint": True},
    }
    return {**found, "title": title} if isinstance(title, str) else found
