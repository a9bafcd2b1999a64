"""What answers and faults of an upstream say of it."""

import pytest

from core.egress.faults import UpstreamFault
from core.mcp.faults import UNSUPPORTED_VERSION
from core.mcp.versions import MODERN, Era
from core.resolve import ResolvedInstallation
from core.tasks import Tasks
from proxy.refusals import Refusal
from proxy.upstream.deadlines import Deadlines
from proxy.upstream.eras import Eras, Found, _key
from proxy.upstream.health import Health
from proxy.upstream.outbound import Outbound
from tests.fakes.call_parts import installation

SLOW = UpstreamFault("slow", sent=True, detail="no answer")
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
    health.breakers.failed(to.installation_id)
    assert await health.guarded(to, does("done")) == "done"
    assert not health.breakers.doubts(to.installation_id)


@pytest.mark.parametrize(
    ("fault", "reason", "doubted"), [(SLOW, "upstream_slow", True), (TOO_LARGE, "upstream_too_large", False)]
)
async def test_a_fault_is_a_refusal_and_only_the_transports_speak_against_the_upstream(
    fault: UpstreamFault, reason: str, doubted: bool
) -> None:
    health, to = healthy()
    with pytest.raises(Refusal, match=reason):
        await health.guarded(to, does(fault))
    assert health.breakers.doubts(to.installation_id) is doubted


async def test_an_upstream_that_says_no_is_alive() -> None:
    health, to = healthy()
    health.breakers.failed(to.installation_id)
    with pytest.raises(Refusal, match="upstream_credential"):
        await health.guarded(to, does(Refusal("upstream_credential", server="s")))
    assert not health.breakers.doubts(to.installation_id)


@pytest.mark.parametrize(("said", "seconds"), [(0, "30 s"), (7, "7 s")])
def test_a_refusal_says_how_long_was_waited(said: float, seconds: str) -> None:
    health, _ = healthy()
    assert seconds in health.refusal(installation(deadline_s=said), SLOW).sentence


@pytest.mark.parametrize(("code", "era"), [(UNSUPPORTED_VERSION, None), (-32603, Era.MODERN)])
def test_an_upstream_that_knows_our_version_no_more_is_asked_for_its_era_again(code: int, era: Era | None) -> None:
    health, to = healthy(Era.MODERN)
    assert health.eras.known(to) is Era.MODERN
    health.answered(to, {"jsonrpc": "2.0", "id": Outbound(MODERN, {}, {}).id, "error": {"code": code}})
    assert health.eras.known(to) is era
