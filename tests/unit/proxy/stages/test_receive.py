from typing import Any

import orjson
import pytest

from proxy.refusals import Refusal
from proxy.stages.receive import receive
from proxy.upstream.outbound import Outbound
from proxy.upstream.running_call import Owner
from tests.fakes.call_parts import Outlet, exchange, gateway, installation, parts, tool


class Upstreams:
    """An upstream that answers with one message, after a step of progress."""

    def __init__(self, answer: dict[str, Any], progress: dict[str, Any] | None = None) -> None:
        self.answer, self.progress = answer, progress or {"progress": 1}
        self.owner: Owner | None = None

    async def call(self, _installation: Any, _outbound: Any, owner: Owner, beside: Any) -> dict[str, Any]:
        self.owner = owner
        await beside.tell("notifications/progress", {"progressToken": "p7", **self.progress})
        return self.answer


async def forwarded(answer: dict[str, Any], progress: dict[str, Any] | None = None) -> Any:
    x = exchange(gateway([tool()]), meta={"progressToken": "mine"})
    x.installation, x.outbound = installation(), Outbound("tools/call", {}, {}, wants_progress=True)
    x.target = x.gateway.tools["t"]
    async with parts() as deps:
        deps.upstreams = upstreams = Upstreams(answer, progress)  # type: ignore[assignment]  # the one method
        pending = receive(x, deps)
        assert pending is not None
        await pending
    assert upstreams.owner == Owner("user:u", None)
    return x


async def test_the_result_is_kept_and_progress_carries_the_callers_token() -> None:
    x = await forwarded({"result": {"content": []}})
    assert x.result == {"content": []}
    assert isinstance(x.outlet, Outlet)
    assert [orjson.loads(event)["params"] for event in x.outlet.events] == [{"progressToken": "mine", "progress": 1}]


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ({"progress": 1, "total": 2, "message": "half"}, {"progress": 1, "total": 2, "message": "half"}),
        ({"progress": 1, "_meta": {"archway/refusal": {"reason": "quarantined"}}}, {"progress": 1}),
        ({"progress": 1, "_meta": {"archway/other": 1, "their/own": 2}}, {"progress": 1, "_meta": {"their/own": 2}}),
        ({"progress": 1, "_meta": [{"archway/refusal": {}}]}, {"progress": 1}),
        ({"progress": 1, "archway/refusal": {}, "content": [], "task": {}}, {"progress": 1}),
        ({"progressToken": "another's", "progress": 1.5}, {"progress": 1.5}),
    ],
)
async def test_of_progress_goes_on_what_the_protocol_has_and_nothing_in_our_name(
    said: dict[str, Any], told: dict[str, Any]
) -> None:
    x = await forwarded({"result": {}}, said)
    (event,) = x.outlet.events
    assert orjson.loads(event)["params"] == {**told, "progressToken": "mine"}


@pytest.mark.parametrize(("error", "text"), [({"message": "no\x1b"}, "no"), ({"message": 3}, ""), ("no", "")])
async def test_an_error_is_refused_with_the_upstreams_words_beside_ours(error: Any, text: str) -> None:
    with pytest.raises(Refusal) as refusal:
        await forwarded({"error": error})
    assert (refusal.value.reason, refusal.value.text) == ("upstream_error", text)


@pytest.mark.parametrize(("size", "held"), [(99, True), (100, True), (101, False), (1 << 30, False)])
async def test_a_large_answer_that_waits_takes_its_callers_room_or_is_refused(size: int, held: bool) -> None:
    class Large(Upstreams):
        async def call(self, _installation: Any, _outbound: Any, owner: Owner, on_progress: Any) -> dict[str, Any]:
            owner.hold(size)
            return self.answer

    x = exchange(gateway([tool()]))
    x.installation, x.outbound = installation(), Outbound("tools/call", {}, {})
    async with parts(bytes_in_flight=400) as deps:
        deps.upstreams = Large({"result": {"content": []}})  # type: ignore[assignment]  # the one method
        pending = receive(x, deps)
        assert pending is not None
        if held:
            await pending
        else:
            with pytest.raises(Refusal, match="upstream_too_large"):
                await pending
        assert deps.usage.bytes_in_flight == (size if held else 0)
    assert x.large


@pytest.mark.parametrize("part", [orjson.Fragment(b"[1]"), [1], 1])
async def test_a_small_answer_is_not_large_whatever_it_holds(part: object) -> None:
    x = await forwarded({"result": {"content": [], "structuredContent": part}})
    assert not x.large
