"""What an environment allows in all: its own destinations, and those of its presets."""

from control.registry.egress import Egress, NewEgressPreset, rules_of
from core.egress.rules import Allowed, EgressRules

PRESET = NewEgressPreset(name="Files", domains=("files.example.com",))


def test_no_policy_is_everything() -> None:
    """An environment that says nothing of it limits nothing."""
    assert rules_of(None) == EgressRules(mode="all")


def test_presets_are_allowed_beside_its_own_destinations() -> None:
    """Each on its own ports."""
    own = Egress(mode="restricted", cidrs=("203.0.113.0/24",), ports=("5432",))
    assert rules_of(own, [PRESET]).allowed == (
        Allowed(cidrs=("203.0.113.0/24",), ports=("5432",)),
        Allowed(domains=("files.example.com",)),
    )


def test_presets_open_nothing_of_a_policy_that_is_off() -> None:
    """They say what is allowed where something is."""
    assert rules_of(Egress(mode="off"), [PRESET]) == EgressRules(mode="off")
