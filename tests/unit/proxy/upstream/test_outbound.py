from itertools import pairwise

import pytest

from core.mcp.header_values import safe_header_value
from core.mcp.versions import MODERN
from proxy.upstream import outbound as module
from proxy.upstream.outbound import Outbound
from tests.fakes.call_parts import installation


def test_ids_and_progress_tokens_are_ours_and_unique() -> None:
    first, second = Outbound("tools/call", {}, {}), Outbound("tools/call", {}, {})
    assert first.id != second.id
    assert first.progress_token != second.progress_token


def test_an_id_tells_nothing_of_the_next_and_fits_every_servers_integers() -> None:
    ids = [Outbound("tools/call", {}, {}).id for _ in range(200)]
    steps = {after - before for before, after in pairwise(ids)}
    assert len(steps) > 190
    assert any(step < 0 for step in steps)
    assert max(map(abs, steps)) > 1 << 24
    assert all(0 < one < 1 << 31 for one in ids)


def test_an_id_that_is_drawn_again_is_not_given_out_again(monkeypatch: pytest.MonkeyPatch) -> None:
    draws = iter([b"\2\0\0\0" * 3 + b"\0\0\0\0", b"\2\0\0\0\4\0\0\0"])
    monkeypatch.setattr(module.os, "urandom", lambda size: next(draws))
    ids = module._unguessable()
    assert [next(ids), next(ids)] == [1, 2]


def test_ids_are_remembered_in_bounds_and_long_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_REMEMBERED_IDS", 2)
    words = iter([1, 2, 3, 1, 2, 3, 4, 5, 1])
    monkeypatch.setattr(module.os, "urandom", lambda size: (2 * next(words)).to_bytes(4, "little"))
    ids = module._unguessable()
    assert [next(ids) for _ in range(6)] == [1, 2, 3, 4, 5, 1]


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
    to = installation(fixed_headers=[("X-Key", "entry"), ("x-b", "b")], credential_headers=[("x-KEY", "c")])
    assert to.own_headers == {"x-key": "c", "x-b": "b"}


def test_a_modern_server_is_told_of_extensions_beside_capabilities_and_a_legacy_one_is_not() -> None:
    outbound = Outbound("tools/call", {"name": "t"}, {}, extensions={"x": {}}, on_stream=True)
    for can in ({}, {"elicitation": {}}):
        outbound.capabilities = can
        meta = outbound.whole_meta(modern=True)
        assert meta["io.modelcontextprotocol/clientCapabilities"] == {**can, "extensions": {"x": {}}}
        assert outbound.says_more
        assert outbound.declared == can
        assert outbound.whole_meta(modern=False) == {}
