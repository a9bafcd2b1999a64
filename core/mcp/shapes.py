"""Results and tool definitions in the form that the other era expects.

A caller of either era may call a tool of either; the proxy passes each upstream result through the function for
its *caller's* era. Ids, sessions and questions are not here. No function changes its argument: what it returns
shares the untouched parts with it.
"""

from __future__ import annotations

from collections.abc import Mapping

import orjson

from core.mcp.large_answer_json import is_object, items_of, with_item
from core.mcp.methods import LOG_LEVELS
from core.mcp.versions import LEGACY_VERSIONS

META_SERVER_INFO = "io.modelcontextprotocol/serverInfo"
_OURS = "archway/"
# Our own refusals are marked with this; an upstream must not be able to speak in our name.
META_REFUSAL = _OURS + "refusal"
# Which installation acted, and with which account: ours to say, too.
META_ACCOUNT = _OURS + "account"
# Of a list: servers of which nothing could be had, and what is not read of the others.
META_MISSING = _OURS + "missing"
META_NOTES = _OURS + "notes"

RESULT_TYPES: tuple[str, ...] = ("complete", "input_required", "task")

_NOT_THEIRS = frozenset({META_SERVER_INFO, META_REFUSAL, META_ACCOUNT, META_MISSING, META_NOTES})
_MODERN_MEMBERS = ("resultType", "ttlMs", "cacheScope")
_FIRST_WITH_RESOURCE_LINKS = "2025-06-18"


def result_type(result: dict[str, object]) -> str:
    """What kind of result an upstream gave; absent means `complete`, as all legacy results are.

    Raises ValueError for a kind that the protocol does not know: such a result is invalid.
    """
    kind = result.get("resultType", "complete")
    if not isinstance(kind, str) or kind not in RESULT_TYPES:
        raise ValueError("The protocol does not know the result's resultType.")
    return kind


def result_for_legacy(result: dict[str, object], version: str, account: object = None) -> dict[str, object]:
    """An upstream's complete result for a caller that speaks the legacy revision `version`.

    `account`: what `_meta` says of who acted; None for nothing.

    Drops what only modern results have. Structured content that is no object cannot be told to a legacy
    client: it goes, and stays readable as JSON text where the result has no text. Before 2025-06-18 a
    link to a resource becomes text. Raises ValueError for a result that is not complete: a
    question or a task must be settled first.
    """
    if result_type(result) != "complete":
        raise ValueError("Only a complete result has a legacy form.")
    shaped = dict(result)
    for name in _MODERN_MEMBERS:
        shaped.pop(name, None)
    if "_meta" in shaped:
        _strip_meta(shaped)
    if account is not None:
        meta = shaped.get("_meta")
        shaped["_meta"] = {**meta, META_ACCOUNT: account} if isinstance(meta, dict) else {META_ACCOUNT: account}
    structured = shaped.get("structuredContent")
    if "structuredContent" in shaped and not isinstance(structured, dict) and not is_object(structured):
        _tell_as_text(shaped, shaped.pop("structuredContent"))
    if "content" in shaped and not _knows_resource_links(version):
        blocks = items_of(shaped["content"], that_hold=b"resource_link")
        if blocks is not None:
            shaped["content"] = [_link_as_text(block) for block in blocks]
    return shaped


def result_for_modern(
    result: dict[str, object], server_info: dict[str, object], account: object = None, *, cacheable: bool = False
) -> dict[str, object]:
    """An upstream's result for a modern caller, with our `server_info` in `_meta` (2026-07-28, basic).

    `account`: what `_meta` says besides of who acted; None for nothing.

    With `cacheable` (lists, and reading a resource) a complete result without hints is given the careful ones:
    not to be kept, private. Raises ValueError for an unknown `resultType`.
    """
    kind = "complete" if result.get("resultType") == "complete" else result_type(result)
    shaped: dict[str, object] = {**result, "resultType": kind}
    if "_meta" in shaped:
        _strip_meta(shaped)
    meta = shaped.get("_meta")
    ours: dict[str, object] = {META_SERVER_INFO: server_info}
    if account is not None:
        ours[META_ACCOUNT] = account
    shaped["_meta"] = {**meta, **ours} if isinstance(meta, dict) else ours
    if cacheable and kind == "complete":
        shaped.setdefault("ttlMs", 0)
        shaped.setdefault("cacheScope", "private")
    return shaped


def progress_for_caller(params: Mapping[str, object], token: object) -> dict[str, object]:
    """What a caller gets of an upstream's progress, under the caller's own `token`: what the protocol has, no more.

    Of its `_meta` nothing is left in which an upstream would speak in our name.
    """
    told = {name: params[name] for name in ("progress", "total", "message") if name in params}
    meta = params.get("_meta")
    if isinstance(meta, dict) and (kept := {key: value for key, value in meta.items() if not key.startswith(_OURS)}):
        told["_meta"] = kept
    return {"progressToken": token, **told}


def log_for_caller(params: Mapping[str, object], level: str) -> dict[str, object] | None:
    """What a caller gets of what an upstream logs: what the protocol has, no more; None below the caller's `level`.

    An empty level hears everything. Raises nothing: what has no level of the protocol is nobody's.
    """
    said = params.get("level")
    if said not in LOG_LEVELS or (level and LOG_LEVELS.index(said) < LOG_LEVELS.index(level)):
        return None
    return {name: params[name] for name in ("level", "logger", "data") if name in params}


def is_only_a_task(tool: Mapping[str, object]) -> bool:
    """Whether a tool can be called as a task and in no other way (2025-11-25, `execution.taskSupport`)."""
    execution = tool.get("execution")
    return isinstance(execution, dict) and execution.get("taskSupport") == "required"


def tool_for_legacy(tool: dict[str, object]) -> dict[str, object]:
    """A tool's list entry for a legacy caller: an output schema whose root is not an object is left out."""
    schema = tool.get("outputSchema")
    if "outputSchema" not in tool or (isinstance(schema, dict) and schema.get("type") == "object"):
        return dict(tool)
    return {name: value for name, value in tool.items() if name != "outputSchema"}


def tool_for_modern(tool: dict[str, object]) -> dict[str, object]:
    """A tool's list entry for a modern caller: without the hints on legacy tasks."""
    return {name: value for name, value in tool.items() if name != "execution"}


def _strip_meta(shaped: dict[str, object]) -> None:
    """Take the upstream's own name and its word in our name out of `_meta`, in a copy of it."""
    meta = shaped.get("_meta")
    if not isinstance(meta, dict):
        # No revision allows it, and nothing may hide in it.
        shaped.pop("_meta", None)
        return
    kept = {key: value for key, value in meta.items() if key not in _NOT_THEIRS}
    if kept or not meta:
        shaped["_meta"] = kept
    else:
        del shaped["_meta"]


def _tell_as_text(shaped: dict[str, object], structured: object) -> None:
    content = shaped.get("content")
    blocks = items_of(content, that_hold=b'"type"')
    if any(_kind(block) == "text" for block in blocks or []):
        return
    told = {"type": "text", "text": orjson.dumps(structured).decode()}
    if blocks is None and isinstance(content, orjson.Fragment):
        shaped["content"] = with_item(content, told)  # nobody can say whether it has text
    else:
        shaped["content"] = [*(blocks or []), told]


def _knows_resource_links(version: str) -> bool:
    """Whether `version` is 2025-06-18 or later; an unknown one counts as old, since text suits everybody."""
    return version in LEGACY_VERSIONS and version >= _FIRST_WITH_RESOURCE_LINKS


def _link_as_text(block: object) -> object:
    if _kind(block) != "resource_link" or not isinstance(block, dict):
        return block
    name, uri = block.get("title") or block.get("name"), block.get("uri")
    text = f"{name}: {uri}" if isinstance(name, str) else str(uri)
    description = block.get("description")
    if isinstance(description, str) and description:
        text = f"{text}\n{description}"
    return {"type": "text", "text": text}


def _kind(block: object) -> object:
    if isinstance(block, orjson.Fragment):
        return "text"  # a block of megabytes, which nobody has read
    return block.get("type") if isinstance(block, dict) else None
