import pytest

from control.registry.broken_rule import BrokenRule
from control.registry.quantities import check_resources, cpu_thousandths, memory_bytes, resources_of
from control.registry.self_hosted import USUAL, Resources


def test_memory_is_told_in_bytes_and_processors_in_thousandths() -> None:
    assert [memory_bytes(one) for one in ("128Mi", "1Gi", "500M", "20000000")] == [
        128 << 20, 1 << 30, 500_000_000, 20_000_000,
    ]  # fmt: skip
    assert [cpu_thousandths(one) for one in ("10m", "0.5", "2", "1.25")] == [10, 500, 2_000, 1_250]


def test_the_usual_resources_can_be_saved() -> None:
    check_resources(Resources())
    check_resources(Resources(cpu="250m", memory="1Gi", memory_limit="1Gi", cpu_limit="0.25"))


@pytest.mark.parametrize(
    ("resources", "field"),
    [
        (Resources(cpu="0"), "cpu"),
        (Resources(cpu="lots"), "cpu"),
        (Resources(cpu="1e3"), "cpu"),
        (Resources(memory="128"), "memory"),
        (Resources(memory="-1Mi"), "memory"),
        (Resources(memory="128 Mi"), "memory"),
        (Resources(memory="128Mi", memory_limit="64Mi"), "memory_limit"),
        (Resources(memory_limit="2000Gi"), "memory_limit"),
        (Resources(cpu="1", cpu_limit="500m"), "cpu_limit"),
    ],
)
def test_what_is_no_quantity_or_too_little_is_refused_at_its_field(resources: Resources, field: str) -> None:
    with pytest.raises(BrokenRule) as refused:
        check_resources(resources)
    assert refused.value.field == f"run.resources.{field}"


@pytest.mark.parametrize(
    ("own", "of_environment", "used"),
    [
        ({}, None, ("10m", "128Mi", "512Mi", "")),
        ({"memory": "256Mi"}, {"memory": "1Gi", "memory_limit": "2Gi"}, ("10m", "256Mi", "2Gi", "")),
        ({"cpu": "1"}, {"cpu": "20m", "cpu_limit": "2"}, ("1", "128Mi", "512Mi", "2")),
        # The one that is said nearer stays, its partner gives way.
        ({"memory": "1Gi"}, None, ("10m", "1Gi", "1Gi", "")),
        ({"memory_limit": "64Mi"}, None, ("10m", "64Mi", "64Mi", "")),
        ({"memory_limit": "64Mi"}, {"memory": "1Gi"}, ("10m", "64Mi", "64Mi", "")),
        ({"cpu": "3"}, {"cpu_limit": "2"}, ("3", "128Mi", "512Mi", "3")),
        ({}, {"cpu_limit": "5m"}, ("5m", "128Mi", "512Mi", "5m")),
    ],
)
def test_what_an_entry_leaves_unsaid_is_said_by_its_environment_and_else_usual(own, of_environment, used) -> None:
    environment = None if of_environment is None else Resources(**of_environment)
    found = resources_of(Resources(**own), environment)
    assert (found.cpu, found.memory, found.memory_limit, found.cpu_limit) == used


def test_what_is_usual_can_be_saved() -> None:
    check_resources(USUAL)
