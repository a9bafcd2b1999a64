"""What a fault of a far side says of itself.

The names of all faults are in `tests/unit/proxy/upstream/test_transport_faults.py`: both clients have the same.
"""

from collections.abc import AsyncIterator

import pytest

from core.egress.client import Egress, UpstreamFault
from tests.fakes.outbound_calls import LOOPBACK, fault_of
from tests.fakes.scripted_upstream import RESET, ScriptedUpstream


@pytest.fixture
async def egress() -> AsyncIterator[Egress]:
    async with Egress(LOOPBACK) as client:
        yield client


async def test_a_peer_that_hangs_up_on_accept_may_have_been_sent_something(egress: Egress) -> None:
    async with ScriptedUpstream(on_accept=[RESET]) as upstream:
        fault = await fault_of(egress, upstream.url)
        assert fault.reason in {"refused", "broken"}  # which of them is a race between their RST and our write
        assert fault.sent


def test_a_detail_is_cut_and_stays_out_of_text_and_repr() -> None:
    fault = UpstreamFault("broken", sent=True, detail="s3cret" * 100)
    assert len(fault.detail) == 256
    assert "s3cret" not in f"{fault} {fault!r}"
