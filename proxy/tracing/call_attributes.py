"""What the span of a call says beside its times: attributes, and the type of its error.

Asked by the stage `record` for a traced call, and told values. No argument and no result is in a span, and its
attributes follow OpenTelemetry's conventions for MCP servers and for tools (`mcp.*`, `gen_ai.*`); what they have no
name for is `archway.*`.
"""

from typing import Final

from core.records import CallRecord
from proxy.refusals import TABLE, RefusedAs
from proxy.tracing.call_trace import Attributes

_LONGEST_ID: Final = 128
"""Characters of a request's id in a span."""


def attributes(
    kept: CallRecord,
    *,
    version: str,
    message_id: str,
    http_version: str,
    gateway: str,
    server: str | None,
    refused_as: RefusedAs | None,
) -> Attributes:
    """The attributes of the call of this record. `server`: None where no tool was chosen, so that none is named."""
    told: Attributes = {
        "mcp.method.name": kept.method,
        "mcp.protocol.version": version,
        "mcp.session.id": kept.session,
        "jsonrpc.request.id": message_id[:_LONGEST_ID],
        "gen_ai.operation.name": "execute_tool",
        "gen_ai.tool.name": kept.tool if server is not None else "",
        "network.transport": "tcp",
        "network.protocol.name": "http",
        "network.protocol.version": http_version,
        "client.address": kept.address,
        "archway.status": kept.status,
        "archway.request_id": kept.request_id,
        "archway.principal": kept.principal,
        "archway.gateway": gateway,
        "archway.server": server or "",
        "archway.installation_id": kept.installation_id,
        "archway.bytes_in": kept.bytes_in,
        "archway.bytes_out": kept.bytes_out,
    }
    if (code := _rpc_code(kept.status, refused_as)) is not None:
        told["rpc.response.status_code"] = code
    return {name: value for name, value in told.items() if value != ""}


def error_type(status: str, refused_as: RefusedAs | None) -> str:
    """`error.type`: the code of the error, or `tool_error` for a result that is one; empty where all went well."""
    if status == "ok":
        return ""
    if status in {"cancelled", "wrong_message"}:
        return status
    return _rpc_code(status, refused_as) or "tool_error"


def _rpc_code(status: str, refused_as: RefusedAs | None) -> str | None:
    """The code of the JSON-RPC error that the caller got, if it got one."""
    if status == "internal":
        return "-32603"
    row = TABLE.get(status)
    return None if row is None or row.is_result(refused_as) else str(row.code)
