from core.mcp.header_values import safe_header_value
from core.mcp.versions import MODERN
from proxy.upstream.outbound import Outbound, own_headers
from tests.fakes.call_parts import connection


def test_ids_and_progress_tokens_are_ours_and_unique() -> None:
    first, second = Outbound("tools/call", {}, {}), Outbound("tools/call", {}, {})
    assert first.id != second.id
    assert first.progress_token != second.progress_token


def test_a_modern_request_carries_the_envelope_and_the_headers_that_mirror_it() -> None:
    outbound = Outbound("tools/call", {"name": "täst", "arguments": {}}, {"x-a": "1"}, meta={"theirs": 1})
    outbound.param_headers = {"Mcp-Param-City": safe_header_value("Ulm")}

    message, headers = outbound.modern()

    assert headers["mcp-protocol-version"] == MODERN
    assert headers["mcp-method"] == "tools/call"
    assert headers["mcp-name"].startswith("=?base64?")
    assert headers["mcp-param-city"] == "Ulm"
    assert headers["x-a"] == "1"
    meta = message["params"]["_meta"]  # type: ignore[index]  # built above
    assert meta["theirs"] == 1
    assert meta["io.modelcontextprotocol/protocolVersion"] == MODERN
    assert meta["io.modelcontextprotocol/clientCapabilities"] == {}
    assert "progressToken" not in meta


def test_a_legacy_request_carries_its_session_and_no_envelope() -> None:
    outbound = Outbound("tools/call", {"name": "t"}, {}, wants_progress=True)

    message, headers = outbound.legacy("2025-06-18", "s")

    assert headers["mcp-session-id"] == "s"
    assert headers["mcp-protocol-version"] == "2025-06-18"
    assert message["params"] == {"name": "t", "_meta": {"progressToken": outbound.progress_token}}
    assert not any(name.startswith("mcp-method") for name in headers)
    assert "mcp-session-id" not in outbound.legacy("2025-06-18", None)[1]


def test_no_name_stands_twice_and_the_transports_own_win() -> None:
    outbound = Outbound("tools/call", {"name": "t"}, {"accept": "x/y", "mcp-name": "forged", "content-type": "a/b"})
    for _, headers in (outbound.modern(), outbound.legacy("2025-06-18", None)):
        assert len({name.lower() for name in headers}) == len(headers)
        assert headers["accept"] == "application/json, text/event-stream"
        assert headers["content-type"] == "application/json"
    assert outbound.modern()[1]["mcp-name"] == "t"


def test_the_credential_wins_over_the_entrys_own_headers_whatever_their_case() -> None:
    own = own_headers(
        connection(fixed_headers=[("X-Key", "entry"), ("x-b", "b")], credential_headers=[("x-KEY", "c")])
    )
    assert own == {"x-key": "c", "x-b": "b"}
