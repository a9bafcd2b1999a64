"""The table of methods: who answers which, in which era, and how the refusal of a call looks."""

import pytest

from core.mcp import methods as known
from core.mcp.faults import MessageFault
from core.mcp.message import Request
from core.mcp.versions import Era
from proxy.exchange import Exchange
from proxy.methods import LEGACY, MODERN, FromMemory, FromServer, method_of
from tests.fakes.call_parts import exchange, gateway


def asked(method: str, era: Era = Era.MODERN) -> Exchange:
    x = exchange(gateway(), era=era)
    x.message, x.refused_as = Request(1, method, {}, era, {}), None
    return x


def test_every_method_of_the_table_is_one_of_the_protocols_in_that_era() -> None:
    assert LEGACY.keys() <= known.LEGACY_METHODS
    assert MODERN.keys() <= known.MODERN_METHODS


@pytest.mark.parametrize("era", Era)
def test_a_call_of_a_tool_goes_to_a_server_and_is_refused_with_a_result(era: Era) -> None:
    x = asked("tools/call", era)
    method = method_of(x)
    assert isinstance(method, FromServer)
    assert (x.refused_as, x.outlives_caller) == ("result", era is Era.LEGACY)


@pytest.mark.parametrize(
    ("era", "method"),
    [(Era.LEGACY, "initialize"), (Era.LEGACY, "ping"), (Era.MODERN, "server/discover"), (Era.MODERN, "tools/list")],
)
def test_what_we_answer_ourselves_is_no_call(era: Era, method: str) -> None:
    x = asked(method, era)
    assert isinstance(method_of(x), FromMemory)
    assert (x.refused_as, x.outlives_caller) == (None, False)


@pytest.mark.parametrize(
    ("era", "method", "status"),
    [
        (Era.MODERN, "ping", 404),
        (Era.MODERN, "initialize", 404),
        (Era.LEGACY, "server/discover", 200),
        (Era.LEGACY, "resources/read", 200),
    ],
)
def test_a_method_that_is_not_served_in_the_callers_era_is_not_found(era: Era, method: str, status: int) -> None:
    with pytest.raises(MessageFault) as caught:
        method_of(asked(method, era))
    assert (caught.value.code, caught.value.http_status) == (-32601, status)
