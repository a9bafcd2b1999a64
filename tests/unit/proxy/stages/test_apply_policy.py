import pytest

from core.snapshot import Rule
from proxy.refusals import Refusal
from proxy.stages.apply_policy import apply_policy
from proxy.stages.choose_tool import choose_tool
from tests.fakes.call_parts import exchange, gateway, parts, tool


@pytest.mark.parametrize("reason", ["quarantined", "held_back", "only_as_task"])
async def test_a_rule_that_names_the_tool_refuses_it_and_no_other(reason: object) -> None:
    held = gateway([tool("t"), tool("u")], rules=[Rule("refuse", reason, ["t"])])  # type: ignore[arg-type]  # both words
    async with parts() as deps:
        x = exchange(held)
        choose_tool(x, deps)
        with pytest.raises(Refusal) as refusal:
            apply_policy(x, deps)
        assert refusal.value.reason == reason
        other = exchange(held, name="u")
        choose_tool(other, deps)
        apply_policy(other, deps)
