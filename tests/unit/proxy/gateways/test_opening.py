import threading

import pytest

from core.keys import new_key, parse_key_ring
from core.signing import Signer, Verifier
from core.snapshot import Gateway, SnapshotBroken, sign_gateway
from proxy.gateways import opening
from proxy.gateways.compiled import CompiledGateway
from proxy.gateways.opening import AT_ONCE, opened
from tests.fakes.call_parts import gateway, tool

SIGNER = Signer(parse_key_ring("ARCHWAY_SIGNING_KEY", new_key()))
VERIFIER = Verifier("ARCHWAY_VERIFY_KEYS", SIGNER.public_keys)


@pytest.fixture
def compiled_in(monkeypatch: pytest.MonkeyPatch) -> list[threading.Thread]:
    """The threads in which gateways were compiled."""
    threads: list[threading.Thread] = []

    def noted(snapshot: Gateway) -> CompiledGateway:
        threads.append(threading.current_thread())
        return CompiledGateway(snapshot)

    monkeypatch.setattr(opening, "CompiledGateway", noted)
    return threads


async def test_a_small_gateway_is_opened_where_it_came(compiled_in: list[threading.Thread]) -> None:
    one = gateway([tool("a")])
    assert (await opened(sign_gateway(one, SIGNER), one.id, VERIFIER)).tools.keys() == {"a"}
    assert compiled_in == [threading.main_thread()]


async def test_a_large_one_is_opened_in_a_thread(compiled_in: list[threading.Thread]) -> None:
    one = gateway([tool("a", definition={"name": "a", "description": "x" * AT_ONCE})])
    assert (await opened(sign_gateway(one, SIGNER), one.id, VERIFIER)).tools.keys() == {"a"}
    assert compiled_in != [threading.main_thread()]


@pytest.mark.parametrize("size", [0, AT_ONCE])
async def test_one_that_was_changed_is_refused_whatever_its_size(size: int) -> None:
    one = gateway([tool("a", definition={"name": "a", "description": "x" * size})])
    document = sign_gateway(one, SIGNER)
    with pytest.raises(SnapshotBroken):
        await opened(document[:-1] + bytes((document[-1] ^ 1,)), one.id, VERIFIER)
