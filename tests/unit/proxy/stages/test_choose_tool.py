import pytest

from core.mcp.faults import HEADER_MISMATCH, INVALID_PARAMS, MessageFault
from core.mcp.versions import Era
from proxy.refusals import Refusal
from proxy.stages.choose_tool import choose_tool
from tests.fakes.call_parts import exchange, gateway, parts, tool


async def test_a_tool_is_chosen_by_the_name_byte_for_byte() -> None:
    held = gateway([tool("t"), tool("T")])
    async with parts() as deps:
        for name in ("t", "T"):
            x = exchange(held, name=name)
            choose_tool(x, deps)
            assert x.target is not None
            assert x.target.exposed == name
        for name in ("t ", "\uff54", "", "upstream-t", "g__t", "x" * 500):
            with pytest.raises(Refusal) as refusal:
                choose_tool(exchange(held, name=name), deps)
            assert refusal.value.reason == "tool_unknown"
            assert len(refusal.value.sentence) < 200


@pytest.mark.parametrize("era", [Era.MODERN, Era.LEGACY])
@pytest.mark.parametrize("params", [{"name": 1}, {"name": None}, {"arguments": []}, {"arguments": "x"}])
async def test_parameters_of_another_shape_are_a_wrong_message(era: Era, params: dict[str, object]) -> None:
    async with parts() as deps:
        with pytest.raises(MessageFault) as fault:
            choose_tool(exchange(gateway([tool()]), era=era, **params), deps)
    assert fault.value.code == INVALID_PARAMS
    assert fault.value.http_status == (400 if era is Era.MODERN else 200)


async def test_no_arguments_are_an_empty_object() -> None:
    async with parts() as deps:
        x = exchange(gateway([tool()]), arguments=None)
        choose_tool(x, deps)
        assert x.request.params["arguments"] == {}


async def test_a_header_that_mirrors_an_argument_must_say_the_same() -> None:
    held = gateway([tool(param_headers=[("City", ["city"])])])
    async with parts() as deps:
        x = exchange(held, arguments={"city": "Ulm"})
        x.headers["mcp-param-city"] = "Bonn"
        with pytest.raises(MessageFault) as fault:
            choose_tool(x, deps)
        assert (fault.value.code, fault.value.http_status) == (HEADER_MISMATCH, 400)
        x.headers["mcp-param-city"] = "Ulm"
        choose_tool(x, deps)
        choose_tool(exchange(held, era=Era.LEGACY, arguments={"city": "Ulm"}), deps)  # legacy has no such headers
