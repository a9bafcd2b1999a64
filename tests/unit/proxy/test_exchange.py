from __future__ import annotations

import pytest

from core.mcp.message import Notification
from core.mcp.versions import Era
from proxy.sessions.sealed import Session
from tests.fakes.proxy_parts import exchange


def test_no_two_exchanges_share_an_id_or_a_header() -> None:
    one, other = exchange({}), exchange({})
    one.headers["a"] = "b"
    assert one.request_id != other.request_id
    assert other.headers == {}


def test_the_answers_version_is_the_sessions_then_the_headers_then_the_oldest_that_had_no_header() -> None:
    x = exchange({})
    assert x.version == "2025-03-26"
    x.headers = {"mcp-protocol-version": " 2025-06-18 "}
    assert x.version == "2025-06-18"
    x.session = Session("jti", "2025-11-25", 0, 0)
    assert x.version == "2025-11-25"


def test_only_a_request_is_a_request() -> None:
    x = exchange({})
    x.message = Notification("notifications/initialized", {}, Era.LEGACY)
    with pytest.raises(AssertionError):
        _ = x.request
