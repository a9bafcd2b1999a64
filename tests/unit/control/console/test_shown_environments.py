"""What the page of an environment says of amounts and taints."""

from control.console.shown_environments import at_most_of, tolerated_by, usual_of
from control.registry.environment import NewEnvironment, Quota
from control.registry.self_hosted import Resources


def test_every_usual_amount_is_told_and_none_where_none_is_said() -> None:
    said = Resources(cpu="20m", memory="256Mi", memory_limit="", cpu_limit="2")
    told = usual_of(NewEnvironment(name="A", resources=said))
    assert told == "memory set aside 256Mi, processors set aside 20m, processors at most 2"
    assert usual_of(NewEnvironment(name="A")) == ""


def test_the_limits_of_a_quota_are_told_one_after_another() -> None:
    quota = Quota(servers=1, cpu="15m", memory="600Mi")
    assert at_most_of(NewEnvironment(name="A", quota=quota)) == "1 server, 15m of processors, 600Mi of memory"
    assert at_most_of(NewEnvironment(name="A")) == ""


def test_taints_are_told_as_they_are_typed_and_all_of_them_as_a_star() -> None:
    taints = ({"operator": "Exists"}, {"key": "pool", "operator": "Equal", "value": "tools", "effect": "NoSchedule"})
    assert tolerated_by(NewEnvironment(name="A", tolerations=taints)) == ["*", "pool=tools:NoSchedule"]
