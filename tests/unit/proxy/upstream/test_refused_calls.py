"""What follows from a refusal of a call: for its session, for its era, for its caller."""

from __future__ import annotations

import orjson
import pytest

from core.mcp.versions import Era
from core.resolve import ResolvedInstallation
from core.tasks import Tasks
from proxy.refusals import Refusal
from proxy.upstream.eras import Eras, Found, _key
from proxy.upstream.handshake import UpstreamSession
from proxy.upstream.outbound import Outbound
from proxy.upstream.refused_calls import RefusedCalls, SessionLost
from tests.fakes.call_parts import installation

SESSION = UpstreamSession("s", "2025-11-25")
OURS = 7


class Sessions:
    """What is done with sessions, in words."""

    def __init__(self) -> None:
        self.done: list[str] = []

    async def lost(self, key: str, session: UpstreamSession) -> None:
        self.done.append(f"{session.id} of {key} is lost")

    async def leave(self, key: str, session: UpstreamSession) -> None:
        self.done.append(f"{session.id} of {key} is left")

    def doubt(self, key: str, session: UpstreamSession) -> None:
        self.done.append(f"{session.id} of {key} is doubted")


class Refusing:
    """An answer with this status and this JSON."""

    def __init__(self, status: int, body: object = None) -> None:
        self.status, self._body = status, b"" if body is None else orjson.dumps(body)

    def header(self, name: str) -> str | None:
        return "application/json" if name == "content-type" else None

    async def next_chunk(self) -> bytes:
        body, self._body = self._body, b""
        return body

    async def read_capped(self, cap_bytes: int) -> bytes:
        return await self.next_chunk()

    def never_reuse(self) -> None: ...

    def may_be_left(self, *, all_read: bool) -> None: ...


class Met:
    """An upstream of which an era and a session are known."""

    def __init__(self) -> None:
        self.to: ResolvedInstallation = installation()
        self.eras, self.sessions = Eras(None, Tasks("test")), Sessions()  # type: ignore[arg-type]  # nothing is sent
        self.eras._found.put(_key(self.to), Found(Era.LEGACY, float("inf")))
        self._refused = RefusedCalls(self.sessions, self.eras)  # type: ignore[arg-type]  # a fake of it

    async def answers(
        self, answer: Refusing, session: UpstreamSession | None = SESSION, *, is_new: bool = False
    ) -> dict[str, object]:
        outbound = Outbound("tools/call", {"name": "t", "arguments": {}}, {}, id=OURS)
        return await self._refused.answer_of(self.to, outbound, answer, session, "owner", is_new=is_new)

    @property
    def era(self) -> Era | None:
        return self.eras.known(self.to)


def error(code: int, message: str, *, of: object = None) -> dict[str, object]:
    return {"jsonrpc": "2.0", "id": of, "error": {"code": code, "message": message}}


async def test_a_lost_session_is_raised_and_nothing_is_done_yet() -> None:
    met = Met()
    with pytest.raises(SessionLost):
        await met.answers(Refusing(400, error(-32000, "No valid session ID provided")))
    assert (met.sessions.done, met.era) == ([], Era.LEGACY)


@pytest.mark.parametrize(
    ("answer", "done", "era"),
    [
        (Refusing(400), ["s of owner is left"], None),
        (Refusing(405), ["s of owner is left"], None),
        (Refusing(500), ["s of owner is doubted"], Era.LEGACY),
        (Refusing(413), [], Era.LEGACY),
        (Refusing(429), [], Era.LEGACY),
        (Refusing(403), [], Era.LEGACY),
    ],
)
async def test_a_refusal_says_of_session_and_era(answer: Refusing, done: list[str], era: Era | None) -> None:
    met = Met()
    with pytest.raises(Refusal):
        await met.answers(answer)
    assert (met.sessions.done, met.era) == (done, era)


@pytest.mark.parametrize(("status", "era"), [(400, None), (404, None), (429, Era.LEGACY), (408, Era.LEGACY)])
async def test_a_call_outside_of_a_session_that_fails_makes_the_era_be_asked_again_unless_it_is_only_later(
    status: int, era: Era | None
) -> None:
    met = Met()
    with pytest.raises(Refusal, match="upstream_status"):
        await met.answers(Refusing(status), None)
    assert (met.sessions.done, met.era) == ([], era)


async def test_an_error_becomes_the_answer_to_our_request() -> None:
    met = Met()
    told = await met.answers(Refusing(400, error(-32602, "no such city", of=OURS)))
    assert told == {"jsonrpc": "2.0", "id": OURS, "error": {"code": -32602, "message": "no such city"}}
    assert met.sessions.done == ["s of owner is doubted"]


@pytest.mark.parametrize(("is_new", "reason"), [(False, "upstream_session"), (True, "upstream_status")])
async def test_a_refusal_without_a_word_may_be_of_the_session_unless_that_is_new(is_new: bool, reason: str) -> None:
    met = Met()
    with pytest.raises(Refusal, match=reason):
        await met.answers(Refusing(400), is_new=is_new)


async def test_an_error_of_nobodys_request_goes_with_it_to_the_caller() -> None:
    with pytest.raises(Refusal, match="upstream_session") as refused:
        await Met().answers(Refusing(400, error(-32000, "Bad Request")))
    assert refused.value.text == "Bad Request"


async def test_a_tools_own_error_is_told_as_that() -> None:
    told = await Met().answers(Refusing(400, error(-32000, "The page is gone", of=OURS)))
    assert told["error"] == {"code": -32000, "message": "The page is gone"}
