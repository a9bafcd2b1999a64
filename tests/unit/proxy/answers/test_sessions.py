from __future__ import annotations

import pytest

from core.mcp.versions import MODERN
from proxy.answers.sessions import end_session
from proxy.deps import Deps
from proxy.refusals import Refusal
from proxy.sessions.sealed import Session
from tests.fakes.proxy_parts import exchange


async def test_delete_ends_the_session_here_at_once(deps: Deps) -> None:
    x = exchange({}, method="DELETE")
    x.session = Session("jti", "2025-11-25", 0, 0)
    assert (await end_session(x, deps)).status == 204
    assert deps.sessions.has_ended("jti")


async def test_without_a_session_there_is_nothing_to_end(deps: Deps) -> None:
    with pytest.raises(Refusal, match="session_missing"):
        await end_session(exchange({}, method="DELETE"), deps)


async def test_a_modern_client_has_no_sessions(deps: Deps) -> None:
    x = exchange({}, method="DELETE")
    x.headers = {"mcp-protocol-version": MODERN}
    with pytest.raises(Refusal, match="method_not_allowed"):
        await end_session(x, deps)
