"""What an entry keeps of the tools that its server lists: checked, cut to what clients may see, pinned by a hash.

Called by discovery with the list as a proxy fetched it. The server is not trusted: names outside the protocol's
alphabet, broken schemas and broken `x-mcp-header` annotations are left out with a reason that an admin reads, and
keys that we do not know are dropped, so that no field reaches clients which nobody here has judged.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Literal

import orjson

from control.registry.definition_texts import safe_text
from control.registry.resource_tools import read_tools
from core.mcp.param_headers import InvalidParamHeader, param_headers
from core.mcp.tool_names import why_invalid_name

MAX_TOOLS = 2_000
"""Per entry; a list beyond it is cut with a reason."""
MAX_DESCRIPTION = 8_192
MAX_TITLE = 256
MAX_DEFINITION = 65_536
"""Bytes of one definition as JSON: a snapshot of 1,000 tools must stay below its 16 MiB."""

_HASHED = ("name", "title", "description", "inputSchema", "outputSchema", "annotations")
_HINTS = ("readOnlyHint", "destructiveHint", "idempotentHint", "openWorldHint")
# JSON may hold U+0000, but PostgreSQL's jsonb cannot. An even number of backslashes before it is escaped text.
_NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")


@dataclass(frozen=True, slots=True)
class FoundTool:
    """One tool that an entry offers, as its row will keep it."""

    kind: Literal["tool", "resource"]
    upstream_name: str
    """The server's own name, or the URI of a resource."""
    name: str
    definition: dict[str, Any]
    sha256: str


@dataclass(frozen=True, slots=True)
class Found:
    """All that a discovery may store, and what an admin should know of the rest."""

    tools: tuple[FoundTool, ...]
    rejected: tuple[tuple[str, str], ...]
    """What was left out: name as the server gave it (escaped), and the reason."""
    notes: tuple[tuple[str, str], ...] = ()
    """What was kept and is not as the server listed it: name (escaped; '' for the whole list), and a sentence."""


def found_tools(
    listed: Iterable[Mapping[str, object]],
    resources: Iterable[Mapping[str, object]],
    rejected: Iterable[tuple[str, str]] = (),
    notes: Iterable[tuple[str, str]] = (),
) -> Found:
    """The tools of a server: those that it lists, or one per resource where it lists none at all.

    `rejected` is what the proxy has left out already, `notes` what it has to say about the rest.
    """
    listed, left_out, said = list(listed), list(rejected), list(notes)
    if not listed and not left_out:
        return _resource_tools(resources, said)
    tools: dict[str, FoundTool] = {}
    for given in listed:
        reason = _why_not(given, tools)
        definition, changes = ({}, []) if reason is not None else clean_definition(given)
        reason = reason or _why_not_kept(definition)
        label = _label(given.get("name", ""))
        if reason is not None:
            left_out.append((label, reason))
            continue
        name = str(definition["name"])
        tools[name] = FoundTool("tool", name, name, definition, definition_sha256(definition))
        said += [(label, change) for change in changes]
    return Found(tuple(tools.values()), tuple(left_out), tuple(said))


def clean_definition(given: Mapping[str, object]) -> tuple[dict[str, Any], list[str]]:
    """The keys that clients may see, and a sentence for each thing that is not as it was given."""
    kept: dict[str, Any] = {"name": given["name"]}
    changes: list[str] = []
    for field, limit in (("title", MAX_TITLE), ("description", MAX_DESCRIPTION)):
        if isinstance(text := given.get(field), str):
            kept[field], changed = safe_text(text, limit, field)
            changes += changed
    kept["inputSchema"] = given["inputSchema"]
    if isinstance(given.get("outputSchema"), dict):
        kept["outputSchema"] = given["outputSchema"]
    annotations, changed = _annotations(given.get("annotations"))
    return ({**kept, "annotations": annotations} if annotations else kept), changes + changed


def definition_sha256(definition: Mapping[str, Any]) -> str:
    """The pin of a definition: what a model reads and what decides about arguments, in one canonical form."""
    hashed = {key: definition[key] for key in _HASHED if key in definition}
    return sha256(orjson.dumps(hashed, option=orjson.OPT_SORT_KEYS)).hexdigest()


def _why_not(given: Mapping[str, object], tools: Mapping[str, FoundTool]) -> str | None:
    reason = why_invalid_name(given.get("name"))
    if reason is not None:
        return reason
    if given["name"] in tools:
        return "The server lists this name more than once; the first one is kept."
    if len(tools) >= MAX_TOOLS:
        return f"The server lists more than {MAX_TOOLS} tools."
    schema = given.get("inputSchema")
    if not isinstance(schema, dict) or schema.get("type") != "object":
        return "Its inputSchema is not a JSON Schema of type object."
    try:
        param_headers(schema)
    except InvalidParamHeader as invalid:
        return str(invalid)
    return None


def _why_not_kept(definition: Mapping[str, Any]) -> str | None:
    try:
        written = orjson.dumps(definition)
    except (orjson.JSONEncodeError, RecursionError):
        return "Its definition cannot be written as JSON."
    if len(written) > MAX_DEFINITION:
        return f"Its definition has {len(written)} bytes; at most {MAX_DEFINITION} are allowed."
    return "Its definition holds the character U+0000." if _NUL.search(written) else None


def _label(name: object) -> str:
    """The name as reports show it: escaped, since it may hold marks that turn a line of text around."""
    return ascii(name)[1:81].rstrip("'")


def _resource_tools(resources: Iterable[Mapping[str, object]], notes: Iterable[tuple[str, str]]) -> Found:
    found, left_out = read_tools(resources)
    kept, said = [], list(notes)
    for uri, name, given in found:
        definition, changes = clean_definition(given)
        kept.append(FoundTool("resource", uri, name, definition, definition_sha256(definition)))
        said += [(name, change) for change in changes]
    left_out += [(tool.name, f"The server lists more than {MAX_TOOLS} resources.") for tool in kept[MAX_TOOLS:]]
    return Found(tuple(kept[:MAX_TOOLS]), tuple(left_out), tuple(said))


def _annotations(given: object) -> tuple[dict[str, Any], list[str]]:
    if not isinstance(given, dict):
        return {}, []
    kept: dict[str, Any] = {hint: given[hint] for hint in _HINTS if isinstance(given.get(hint), bool)}
    if not isinstance(title := given.get("title"), str):
        return kept, []
    kept["title"], changes = safe_text(title, MAX_TITLE, "annotations.title")
    return kept, changes
