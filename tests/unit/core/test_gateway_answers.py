from __future__ import annotations

import msgspec
import pytest

from core.gateway_answers import GatewayAnswer, GatewayQuestion, IndexAnswer


@pytest.mark.parametrize(
    "said", [GatewayQuestion("crm"), GatewayAnswer("g1", b"signed"), GatewayAnswer(), IndexAnswer(b"signed")]
)
def test_questions_and_answers_about_gateways_survive_the_wire(said: msgspec.Struct) -> None:
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(said), type=type(said)) == said


def test_where_there_is_no_such_gateway_nothing_is_said() -> None:
    assert msgspec.msgpack.encode(GatewayAnswer()) == msgspec.msgpack.encode({})
