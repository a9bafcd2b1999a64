"""The streams of sessions beside their calls, as far as egress policies decide; `tests/proxy` runs the rest."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import pytest
from msgspec.structs import replace

from core.egress.rules import Allowed, EgressRules
from core.resolve import ResolvedInstallation
from core.tasks import Tasks
from proxy.upstream.asides import Asides
from proxy.upstream.handshake import UpstreamSession
from tests.fakes.call_parts import installation
from tests.unit.proxy.upstream.test_old_connection import Answered

KEY = "i/u/session"
SESSION = UpstreamSession("s", "2025-06-18")
FREE = installation("http://server.example/mcp")
WIDE, NARROW = (
    replace(FREE, egress=EgressRules("restricted", (Allowed((network,)),)), environment="production")
    for network in ("0.0.0.0/0", "192.0.2.0/24")
)


class Server:
    """Opens a stream for each GET; `open` has what is read now."""

    def __init__(self) -> None:
        self.open: list[str] = []

    @asynccontextmanager
    async def request(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes | None = None
    ) -> AsyncIterator[Answered]:
        policy = str(getattr(url, "held", ""))
        self.open.append(policy)
        try:
            yield Answered()
        finally:
            self.open.remove(policy)


class Met:
    def __init__(self) -> None:
        self.server, self.tasks = Server(), Tasks("test")
        unused: Any = None
        self.asides = Asides(self.server, self.tasks, unused)  # type: ignore[arg-type]  # as far as it is used

    async def opened(self, at: ResolvedInstallation) -> list[str]:
        """The streams once a call of this session goes to this installation: of each what it is held to."""
        await self.asides.open(KEY, at, SESSION)
        return self.server.open


@pytest.fixture
async def met() -> AsyncIterator[Met]:
    made = Met()
    yield made
    await made.tasks.close()


async def test_the_stream_of_a_session_is_opened_anew_under_another_policy_and_under_no_other(met: Met) -> None:
    (first,) = await met.opened(WIDE)
    assert await met.opened(replace(WIDE, version=WIDE.version + 1)) == [first]
    (second,) = await met.opened(NARROW)
    assert ("0.0.0.0/0" in first, "192.0.2.0/24" in second) == (True, True)


@pytest.mark.parametrize(("at", "stays"), [(FREE, True), (WIDE, False)])
async def test_where_news_were_missed_no_stream_stays_that_a_policy_may_not_allow_any_more(
    met: Met, at: ResolvedInstallation, stays: bool
) -> None:
    await met.opened(at)
    met.asides.doubt()
    assert met.asides.knows(KEY) is stays


async def test_one_on_which_a_call_may_be_asked_stays_until_that_has_ended(met: Met) -> None:
    await met.opened(WIDE)
    call: Any = object()
    with met.asides.attended(KEY, call):
        met.asides.doubt()
        assert met.asides.knows(KEY)
    met.asides.doubt()
    assert not met.asides.knows(KEY)
