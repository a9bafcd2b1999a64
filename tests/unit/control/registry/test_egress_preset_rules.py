"""What a preset must say."""

import pytest

from control.registry.broken_rule import BrokenRule
from control.registry.egress import NewEgressPreset
from control.registry.egress_preset_rules import check_preset


def test_a_preset_is_kept_in_normal_form() -> None:
    made = check_preset(NewEgressPreset(name="A", domains=("A.Example.com", "a.example.com"), ports=("80-80",)))
    assert (made.domains, made.ports) == (("a.example.com",), ("80",))


def test_a_preset_of_nothing_is_told_in_words_that_pages_and_commands_share() -> None:
    with pytest.raises(BrokenRule, match=r"domains: must name a host, where no network is named"):
        check_preset(NewEgressPreset(name="A"))


@pytest.mark.parametrize(
    ("preset", "field"),
    [
        (NewEgressPreset(name="A"), "domains"),
        (NewEgressPreset(name="A", cidrs=("10.0.0.1/8",)), "cidrs"),
        (NewEgressPreset(name="A", domains=("localhost",)), "domains"),
        (NewEgressPreset(name="A", domains=("a.example.com",), ports=("99999",)), "ports"),
    ],
)
def test_a_mistake_is_refused_by_its_field(preset: NewEgressPreset, field: str) -> None:
    with pytest.raises(BrokenRule) as caught:
        check_preset(preset)
    assert caught.value.field == field
