"""What answers and faults of an upstream say of it."""

import pytest

from core.egress.faults import UpstreamFault
from core.mcp.faults import UNSUPPORTED_VERSION
from core.mcp.versions import Era
from core.resolve import ResolvedInstallation
from core.tasks import Tasks
from proxy.refusals import Refusal
from proxy.upstream.deadlines import Deadlines
from proxy.upstream.eras import Eras, Found, _key
from proxy.upstream.health import Health
from proxy.upstream.outbound import Outbound
from tests.fakes.call_parts import installation

SLOW = UpstreamFault("slow", sent=True, detail="no answer")
CALL = Outbound("tools/call", {"name": "t", "arguments": {}}, {})
TOO_LARGE = UpstreamFault("too_large", sent=True, detail="no end")


def healthy(era: Era | None = None) -> tuple[Health, ResolvedInstallation]:
    """An upstream that nothing is known against; `era`: what was found that it speaks."""
    eras, to = Eras(None, Tasks("test")), installation()  # type: ignore[arg-type]  # nothing is sent
    if era is not None:
        eras._found.put(_key(to), Found(era, float("inf")))
    return Health(eras, Deadlines(seconds=30, ceiling=100), max_answer=1000), to


async def does(what: Exception | str) -> str:
    if isinstance(what, Exception):
        raise what
    return what


async def test_what_was_done_comes_back_and_speaks_for_the_upstream() -> None:
    health, to = healthy()
    health.breakers.failed_to_connect(to.installation_id, slowly=False)
    assert await health.guarded(to, CALL, "user:1", does("done")) == "done"
    assert not health.breakers.doubts(to.installation_id)


AT_ONCE = UpstreamFault(
    "refused", sent=False, kind="nobody_listens", detail="ConnectFailed: there [[Errno 111] Connection refused]"
)
REFUSED = UpstreamFault(
    "refused", sent=False, kind="unconnected", detail="ConnectFailed: there [closed as soon as it was open]"
)
UNKNOWN = UpstreamFault("refused", sent=False, detail="UnknownName: there")
UNTRUSTED = UpstreamFault("tls", sent=False, detail="CertificateRefused: there")
UNREACHED = UpstreamFault("slow", sent=False, kind="unanswered", detail="ConnectTimeout: there")
NO_WAY = UpstreamFault("refused", sent=False, kind="unreachable", detail="[Errno 113] Connect call failed ('x', 1)")
BY_WORDS = UpstreamFault("refused", sent=False, detail="PoolFull: no, a word of a server: Connection refused")
FULL = UpstreamFault("slow", sent=False, kind="pool_full", detail="PoolFull: all 200 connections are in use")
FORBIDDEN = UpstreamFault("forbidden_address", sent=False, detail="no")
NOT_ALLOWED = UpstreamFault("egress", sent=False, detail="no")
CUT = UpstreamFault("broken", sent=True, detail="inside its answer")
HUNG_UP = UpstreamFault("refused", sent=True, detail="Can not write request body")
NO_JSON = UpstreamFault("broken", sent=True, whole=True, detail="the answer is no acceptable JSON")


@pytest.mark.parametrize(
    ("fault", "reason", "rests"),
    [
        (REFUSED, "upstream_refused", "the server"),
        (UNKNOWN, "upstream_refused", "the server"),
        (AT_ONCE, "upstream_refused", "nothing"),
        (UNTRUSTED, "upstream_tls", "the server"),
        (UNREACHED, "upstream_slow", "the server"),
        (NO_WAY, "upstream_refused", "the server"),
        (BY_WORDS, "upstream_refused", "the server"),
        (SLOW, "upstream_slow", "the call"),
        (CUT, "upstream_broken", "the call"),
        (HUNG_UP, "upstream_refused", "the call"),
        (NO_JSON, "upstream_broken", "nothing"),
        (TOO_LARGE, "upstream_too_large", "nothing"),
        (FULL, "upstream_slow", "nothing"),
        (FORBIDDEN, "upstream_forbidden", "nothing"),
        (NOT_ALLOWED, "upstream_egress", "nothing"),
    ],
)
async def test_only_what_is_the_servers_rests_it_for_everybody(fault: UpstreamFault, reason: str, rests: str) -> None:
    health, to = healthy()
    for _ in range(5):
        with pytest.raises(Refusal, match=reason):
            await health.guarded(to, CALL, "user:1", does(fault))

    def is_refused(outbound: Outbound, caller: str) -> bool:
        try:
            health.admit(to, outbound, caller)
        except Refusal as refusal:
            return refusal.reason == "upstream_resting"
        return False

    another = Outbound("tools/call", {"name": "another", "arguments": {}}, {})
    assert is_refused(another, "user:1") is (rests == "the server")
    assert is_refused(CALL, "user:2") is (rests == "the server")
    assert is_refused(CALL, "user:1") is (rests != "nothing")


def test_who_is_refused_is_told_whether_it_is_the_server_or_their_tool() -> None:
    health, to = healthy()
    for _ in range(5):
        health.refusal(to, CALL, "user:1", CUT)
    with pytest.raises(Refusal) as refusal:
        health.admit(to, CALL, "user:1")
    assert refusal.value.sentence == "This tool of server keeps failing, so calls to it are paused for a moment."
    for _ in range(5):
        health.refusal(to, CALL, "user:1", REFUSED)
    with pytest.raises(Refusal) as refusal:
        health.admit(to, CALL, "user:2")
    assert refusal.value.sentence == "server keeps failing, so calls to it are paused for a moment."


async def test_an_upstream_that_says_no_is_alive() -> None:
    health, to = healthy()
    health.breakers.failed_to_connect(to.installation_id, slowly=False)
    with pytest.raises(Refusal, match="upstream_credential"):
        await health.guarded(to, CALL, "user:1", does(Refusal("upstream_credential", server="s")))
    assert not health.breakers.doubts(to.installation_id)


@pytest.mark.parametrize(("said", "seconds"), [(0, "30 s"), (7, "7 s")])
def test_a_refusal_says_how_long_was_waited(said: float, seconds: str) -> None:
    health, _ = healthy()
    assert seconds in health.refusal(installation(deadline_s=said), CALL, "user:1", SLOW).sentence


@pytest.mark.parametrize(("code", "era"), [(UNSUPPORTED_VERSION, None), (-32603, Era.MODERN)])
def test_an_upstream_that_knows_our_version_no_more_is_asked_for_its_era_again(code: int, era: Era | None) -> None:
    health, to = healthy(Era.MODERN)
    assert health.eras.known(to) is Era.MODERN
    health.answered(to, CALL, "user:1", {"jsonrpc": "2.0", "id": CALL.id, "error": {"code": code}})
    assert health.eras.known(to) is era
