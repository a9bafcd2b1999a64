"""The usual call and the usual answer: those with which nothing can be wrong, found in one look.

"Not certain" is all that is said of others; the pipeline, which knows every case, then says what they are. What is
certain here passes there without a word: `core/mcp/message.py` for calls, `proxy/upstream/answers.py` and the stages
`receive` and `relay` for answers.
"""

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from orjson import JSONDecodeError, loads

from core.mcp.deep_json import is_deep
from core.mcp.exact_numbers import may_change
from core.mcp.message import MAX_ID_BYTES
from core.mcp.methods import (
    META_CLIENT_CAPABILITIES,
    META_CLIENT_INFO,
    META_PROTOCOL_VERSION,
    TOOLS_CALL,
)
from core.mcp.versions import MODERN

if TYPE_CHECKING:
    from proxy.plans.plan import Plan

_LONGEST_ID: Final = MAX_ID_BYTES // 4
_ENVELOPE: Final = frozenset({META_PROTOCOL_VERSION, META_CLIENT_CAPABILITIES, META_CLIENT_INFO})
_EVENT: Final = re.compile(rb"(?:(?:event: ?message|id:[^\r\n]*)\r?\n)*data: ?+([^\r\n]+)\r?\n\r?\n")
"""An event of type `message` with one line of data, as `core/mcp/event_stream.py` reads it."""
Json = dict[str, Any]


def plan_for(message: object, plans: Mapping[str, "Plan"] | None) -> "Plan | bool | None":
    """The plan of a usual call; None for a usual call without one, False for one that is not certain."""
    if type(message) is not dict or len(message) != 4:
        return False
    get = message.get
    request_id, params = get("id"), get("params")
    if type(request_id) is str:
        if len(request_id) > _LONGEST_ID:
            return False
    elif type(request_id) is not int:
        return False
    if get("jsonrpc") != "2.0" or get("method") != TOOLS_CALL or type(params) is not dict or len(params) > 3:
        return False
    get = params.get
    name = get("name")
    if type(name) is not str or type(get("arguments")) is not dict:
        return False
    plan = plans.get(name) if plans is not None else None
    if plan is None:
        return None
    meta = get("_meta")
    if meta == plan.meta and (meta is not None or "_meta" not in params):
        return plan
    return plan if plan.modern and _is_plain(meta, plan.declared) else False


def _is_plain(meta: object, declared: object) -> bool:
    """Whether nothing in this `_meta` of a modern call is asked of us but to know it, and it declares the same."""
    return (
        type(meta) is dict
        and meta.get(META_PROTOCOL_VERSION) == MODERN
        and meta.get(META_CLIENT_CAPABILITIES) == declared
        and _ENVELOPE.issuperset(meta)
    )


def only_message(content: bytes) -> bytes | None:
    """The message in the one event of which this is all; None where it may be more, less or something else."""
    found = _EVENT.fullmatch(content)
    return found[1] if found is not None else None


def usual_result(body: bytes, request_id: int) -> Json | None:
    """The complete result in a body that answers our request; None where that is not certain."""
    try:
        answer = loads(body)
    except JSONDecodeError:
        return None
    if may_change(body, answer) or is_deep(body):
        return None
    if type(answer) is not dict or answer.get("jsonrpc") != "2.0" or "method" in answer or "error" in answer:
        return None
    found, result = answer.get("id"), answer.get("result")
    if type(found) is not int or found != request_id or type(result) is not dict:
        return None
    return result if result.get("resultType", "complete") == "complete" else None
