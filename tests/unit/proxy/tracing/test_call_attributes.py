from typing import Any

import pytest
from msgspec.structs import replace

from core.records import CallRecord
from proxy.refusals import RefusedAs
from proxy.tracing.call_attributes import attributes, error_type
from proxy.tracing.call_trace import Attributes

KEPT = CallRecord(
    id="r", time=1.0, duration_ms=2.0, request_id="r", decision="allowed", status="ok", method="tools/call",
    principal="user:u", auth="token", tool="t", address="192.0.2.9", bytes_in=5, bytes_out=7,
)  # fmt: skip


def told(kept: CallRecord = KEPT, **more: Any) -> Attributes:
    known: dict[str, Any] = {
        "version": "2025-11-25",
        "message_id": "1",
        "http_version": "1.1",
        "gateway": "sales",
        "server": "crm",
        "refused_as": "result",
    }
    return attributes(kept, **known | more)


def test_what_is_not_known_has_no_attribute() -> None:
    said = told()
    assert "mcp.session.id" not in said
    assert "archway.installation_id" not in said
    assert "rpc.response.status_code" not in said
    assert said["archway.server"] == "crm"
    assert said["gen_ai.tool.name"] == "t"


def test_a_name_that_only_the_caller_said_is_not_told() -> None:
    said = told(replace(KEPT, tool="unknown: zq7"), server=None)
    assert "zq7" not in repr(said)
    assert "archway.server" not in said


def test_a_long_id_of_a_request_is_cut() -> None:
    assert told(message_id="x" * 500)["jsonrpc.request.id"] == "x" * 128


@pytest.mark.parametrize(
    ("status", "refused_as", "error"),
    [
        ("ok", "result", ""),
        ("tool_error", "result", "tool_error"),
        ("quarantined", "result", "tool_error"),
        ("tool_unknown", "result", "-32602"),
        ("busy", "error", "-31000"),
        ("internal", "result", "-32603"),
        ("cancelled", "result", "cancelled"),
        ("wrong_message", None, "wrong_message"),
    ],
)
def test_an_error_has_the_code_that_the_caller_got(status: str, refused_as: RefusedAs | None, error: str) -> None:
    assert error_type(status, refused_as) == error
    code = told(replace(KEPT, status=status), refused_as=refused_as).get("rpc.response.status_code")
    assert code == (error if error.startswith("-") else None)
