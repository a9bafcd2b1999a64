"""What an entry keeps of the tools that its server lists: checked, cut to what clients may see, pinned by a hash.

Called by discovery with the list as a proxy fetched it. The server is not trusted. A tool that some client would
refuse, and its gateway's whole list with it, is left out with a reason that an admin reads; what no client needs is
taken out of a tool that stays, and told; keys that we do not know are dropped, so that no field reaches clients which
nobody here has judged. What is wrong with one tool is never another one's trouble.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any, Final

import orjson

from control.registry.definition_extras import extras_of
from control.registry.definition_texts import safe_text
from control.registry.entry_tool import ToolKind
from control.registry.offers import offer_definition
from control.registry.output_schemas import why_not_compiled, without_id
from control.registry.own_names import own_names
from control.registry.resource_tools import read_tools
from control.registry.tool_shape import why_no_tool
from core.mcp.param_headers import InvalidParamHeader, param_headers
from core.mcp.tool_names import why_invalid_name
from core.snapshot import OFFER_KINDS, OfferKind

MAX_TOOLS: Final = 5_000
"""Per entry; a list beyond it is cut with a reason."""
MAX_DESCRIPTION: Final = 8_192
MAX_TITLE: Final = 256
MAX_DEFINITION: Final = 1 << 20
"""Bytes of one definition as JSON."""
MAX_DEFINITIONS: Final = 8 << 20
"""Bytes of all definitions of an entry: two such entries on one gateway just fit its snapshot (16 MiB)."""
PIN: Final = 2
"""Which fields a pin is made of; a row says it, so that a tool that did not change is not taken for another when this
does. 1: without the extras."""

_FIRST_PIN: Final = ("name", "title", "description", "inputSchema", "outputSchema", "annotations")
_PINNED: Final = (*_FIRST_PIN, "icons", "execution", "_meta")
# JSON may hold U+0000, but PostgreSQL's jsonb cannot. An even number of backslashes before it is escaped text.
_NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")


@dataclass(frozen=True, slots=True)
class FoundTool:
    """One tool that an entry offers, as its row will keep it."""

    kind: ToolKind
    upstream_name: str
    """The server's own name, byte for byte, or the URI of a resource."""
    name: str
    """What the entry calls it, of letters that clients take."""
    definition: dict[str, Any]
    """As clients may see it."""
    sha256: str
    """The pin of it as its server lists it."""
    first_sha256: str
    """The pin as it was made first (`PIN` 1)."""

    def is_as(self, sha256: str, pin: int) -> bool:
        """Whether the tool is as it was when a row with this pin was written."""
        return sha256 == (self.sha256 if pin == PIN else self.first_sha256)


@dataclass(frozen=True, slots=True)
class Found:
    """All that a discovery may store, and what an admin should know of the rest."""

    tools: tuple[FoundTool, ...]
    rejected: tuple[tuple[str, str], ...]
    """What was left out: name as the server gave it (escaped), and the reason."""
    notes: tuple[tuple[str, str], ...] = ()
    """What was kept and is not as the server listed it: name (escaped; '' for the whole list), and a sentence."""

    @property
    def callable(self) -> int:
        """How many of them are called as tools."""
        return sum(one.kind not in OFFER_KINDS for one in self.tools)


def found_tools(
    listed: Iterable[Mapping[str, object]],
    resources: Iterable[Mapping[str, object]],
    rejected: Iterable[tuple[str, str]] = (),
    notes: Iterable[tuple[str, str]] = (),
    secrets: Sequence[str] = (),
    offers: Iterable[OfferKind] = (),
) -> Found:
    """The tools of a server: those that it lists, or one per resource where it lists none at all; then its `offers`.

    `rejected` is what the proxy has left out already, `notes` what it has to say about the rest. `secrets`: see
    `extras_of`.
    """
    listed, left_out, said = list(listed), list(rejected), list(notes)
    if not listed and not left_out:
        return _with_offers(_resource_tools(resources, said), offers)
    kept: dict[str, _Kept] = {}
    size = 0
    for given in listed:
        label = _label(given.get("name", ""))
        one = _kept(given, kept, size, secrets)
        if isinstance(one, str):
            left_out.append((label, one))
            continue
        size += one.size
        kept[one.upstream_name] = one
        said += [(label, change) for change in one.changes]
    names = own_names(kept)
    tools = tuple(one.as_tool("tool", names[upstream]) for upstream, one in kept.items())
    return _with_offers(Found(tools, tuple(left_out), tuple(said)), offers)


def _with_offers(found: Found, offers: Iterable[OfferKind]) -> Found:
    taken = {one.name for one in found.tools}
    return replace(found, tools=(*found.tools, *(_offer(kind, taken) for kind in offers)))


def _offer(kind: OfferKind, taken: set[str]) -> FoundTool:
    definition = offer_definition(kind, taken)
    pin = definition_sha256(definition)
    return FoundTool(kind, kind, definition["name"], definition, pin, definition_sha256(definition, _FIRST_PIN))


def clean_definition(given: Mapping[str, object], secrets: Sequence[str] = ()) -> tuple[dict[str, Any], list[str]]:
    """The keys that clients may see, and a sentence for each thing that is not as it was given."""
    definition: dict[str, Any] = {"name": given["name"]}
    changes: list[str] = []
    for field, limit in (("title", MAX_TITLE), ("description", MAX_DESCRIPTION)):
        text = given.get(field)
        if isinstance(text, str):
            definition[field], changed = safe_text(text, limit, field)
            changes += changed
        elif text is not None:
            changes.append(f"Its {field} was left out: it should be a string.")
    definition["inputSchema"] = given["inputSchema"]
    output = given.get("outputSchema")
    if isinstance(output, dict):
        reason = why_not_compiled(output)
        if reason is None:
            definition["outputSchema"] = without_id(output)
        else:
            changes.append(f"Its outputSchema was left out, since clients cannot compile it: {reason}")
    extras, changed = extras_of(given, secrets)
    return {**definition, **extras}, changes + changed


def definition_sha256(definition: Mapping[str, Any], pinned: Iterable[str] = _PINNED) -> str:
    """The pin of a definition: what a model reads, what clients act on, what decides about arguments, in one form."""
    hashed = {key: definition[key] for key in pinned if key in definition}
    return sha256(orjson.dumps(hashed, option=orjson.OPT_SORT_KEYS)).hexdigest()


@dataclass(frozen=True, slots=True)
class _Kept:
    """One tool that stays."""

    upstream_name: str
    definition: dict[str, Any]
    listed: dict[str, Any]
    """The same with the output schema as its server lists it: our rules about those may change, its word did not."""
    changes: list[str]
    size: int

    def as_tool(self, kind: ToolKind, name: str) -> FoundTool:
        """As the entry's row keeps it."""
        first = definition_sha256(self.listed, _FIRST_PIN)
        return FoundTool(kind, self.upstream_name, name, self.definition, definition_sha256(self.listed), first)


def _kept(given: Mapping[str, object], before: Mapping[str, _Kept], size: int, secrets: Sequence[str]) -> _Kept | str:
    """The tool as it is kept, or why it is left out. `size`: bytes of all that were kept before."""
    reason = _why_not(given, before)
    if reason is not None:
        return reason
    one = _of(str(given["name"]), given, secrets)
    if isinstance(one, str):
        return one
    if size + one.size > MAX_DEFINITIONS:
        return f"The server's definitions before it have {size} bytes; all have at most {MAX_DEFINITIONS}."
    return one


def _of(upstream_name: str, given: Mapping[str, object], secrets: Sequence[str] = ()) -> _Kept | str:
    """The cleaned tool, or why it cannot be written down."""
    definition, changes = clean_definition(given, secrets)
    output = given.get("outputSchema")
    listed = {**definition, "outputSchema": output} if isinstance(output, dict) else definition
    try:
        written = orjson.dumps(listed)
    except (orjson.JSONEncodeError, RecursionError):
        return "Its definition cannot be written as JSON."
    if len(written) > MAX_DEFINITION:
        return f"Its definition has {len(written)} bytes; at most {MAX_DEFINITION} are allowed."
    if b"\\u0000" in written and _NUL.search(written):
        return "Its definition holds the character U+0000."
    return _Kept(upstream_name, definition, listed, changes, len(written))


def _why_not(given: Mapping[str, object], before: Mapping[str, _Kept]) -> str | None:
    reason = why_invalid_name(given.get("name"))
    if reason is not None:
        return reason
    if given["name"] in before:
        return "The server lists this name more than once; the first one is kept."
    if len(before) >= MAX_TOOLS:
        return f"The server lists more than {MAX_TOOLS} tools."
    reason = why_no_tool(given)
    if reason is not None:
        return reason
    try:
        param_headers(given["inputSchema"])
    except InvalidParamHeader as invalid:
        return str(invalid)
    return None


def _label(name: object) -> str:
    """The name as reports show it: escaped, since it may hold marks that turn a line of text around."""
    return ascii(name)[1:81].rstrip("'")


def _resource_tools(resources: Iterable[Mapping[str, object]], notes: Iterable[tuple[str, str]]) -> Found:
    found, left_out = read_tools(resources)
    kept, said = [], list(notes)
    for uri, name, given in found:
        one = _of(uri, given)
        if isinstance(one, str):
            left_out.append((name, one))
            continue
        kept.append(one.as_tool("resource", name))
        said += [(name, change) for change in one.changes]
    left_out += [(tool.name, f"The server lists more than {MAX_TOOLS} resources.") for tool in kept[MAX_TOOLS:]]
    return Found(tuple(kept[:MAX_TOOLS]), tuple(left_out), tuple(said))
