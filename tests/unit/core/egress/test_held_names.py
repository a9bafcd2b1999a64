"""Names for aiohttp's client, whose addresses are held to a policy."""

import pytest

from core.egress.held import EgressRefused, Held
from core.egress.held_names import HeldResolver
from core.egress.rules import Allowed, EgressRules
from tests.fakes.scripted_names import ScriptedNames

RULES = EgressRules("restricted", (Allowed(("10.0.0.0/8",), ("api.test",)),))


async def found(names: ScriptedNames, host: str, port: int = 443) -> list[str]:
    return [one["host"] for one in await HeldResolver(names, Held(RULES, "e")).resolve(host, port)]


async def test_a_name_that_is_allowed_leads_wherever_it_leads() -> None:
    assert await found(ScriptedNames(["192.0.2.1", "10.0.0.1"]), "api.test") == ["192.0.2.1", "10.0.0.1"]


async def test_of_another_name_the_addresses_that_a_network_has_are_left() -> None:
    names = ScriptedNames(["192.0.2.1", "10.0.0.1"], ["192.0.2.1"])
    assert await found(names, "other.test") == ["10.0.0.1"]
    with pytest.raises(EgressRefused, match=r"does not allow the address 192\.0\.2\.1$"):
        await found(names, "other.test")


async def test_a_name_that_can_never_be_allowed_is_not_looked_up() -> None:
    names = ScriptedNames(["10.0.0.1"])
    with pytest.raises(EgressRefused):
        await found(names, "other.test", 80)
    assert names.questions == 0
