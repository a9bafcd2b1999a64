from __future__ import annotations

from typing import Any

import pytest

from control.registry.broken_rule import BrokenRule
from control.registry.egress import Egress
from control.registry.environment import NewEnvironment, Quota
from control.registry.environment_rules import MAX_SELECTOR, MAX_TOLERATIONS, check_environment
from control.registry.image_sources import DOCKER
from control.registry.self_hosted import Resources

GPU: dict[str, Any] = {"key": "gpu", "operator": "Exists"}


def environment(**given: Any) -> NewEnvironment:
    return NewEnvironment(name="Production", **given)


def test_an_environment_that_says_all_of_it_is_kept_as_it_is() -> None:
    wanted = environment(
        namespace="tools-a",
        node_selector={"disktype": "ssd", "example.com/pool": "", "kubernetes.io/os": "linux"},
        tolerations=(
            GPU,
            {"operator": "Exists"},
            {"key": "example.com/pool", "value": "tools", "effect": "NoSchedule"},
            {"key": "node", "operator": "Equal", "value": "", "effect": "NoExecute", "tolerationSeconds": 60},
        ),
        resources=Resources(memory_limit="1Gi"),
        image_registries=("registry.example.com/team", DOCKER),
        quota=Quota(servers=20, cpu="4", memory="16Gi"),
    )
    assert check_environment(wanted, ("tools", "tools-a")) == wanted


@pytest.mark.parametrize("mode", ["all", "off"])
@pytest.mark.parametrize(
    ("field", "named"),
    [
        ("egress.cidrs", {"cidrs": ("203.0.113.0/24",)}),
        ("egress.domains", {"domains": ("a.example.com",)}),
        ("egress.ports", {"ports": ("8443",)}),
        ("presets", {}),
    ],
)
def test_destinations_are_not_taken_beside_a_mode_that_asks_for_none(mode: Any, field: str, named: Any) -> None:
    presets = () if named else ("p1",)
    with pytest.raises(BrokenRule) as refused:
        check_environment(environment(egress=Egress(mode, **named), presets=presets))
    assert refused.value.field == field
    check_environment(environment(egress=Egress("restricted", **named), presets=presets))


def test_presets_are_not_taken_where_there_is_no_policy() -> None:
    with pytest.raises(BrokenRule, match="mode"):
        check_environment(environment(presets=("p1",)))


def test_destinations_are_kept_in_their_normal_form() -> None:
    wanted = environment(egress=Egress("restricted", domains=("API.example.com", "api.example.com")))
    assert check_environment(wanted).egress == Egress("restricted", domains=("api.example.com",))


def test_where_there_is_no_cluster_any_namespace_is_kept() -> None:
    assert check_environment(environment(namespace="later")).namespace == "later"


def test_a_namespace_in_which_control_runs_nothing_is_refused_with_those_that_are_there() -> None:
    with pytest.raises(BrokenRule, match="tools, tools-a") as refused:
        check_environment(environment(namespace="kube-system"), ("tools", "tools-a"))
    assert refused.value.field == "namespace"


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"namespace": "Tools"}, "namespace"),
        ({"namespace": "-tools"}, "namespace"),
        ({"namespace": "a" * 64}, "namespace"),
        ({"namespace": "a.b"}, "namespace"),
        ({"namespace": "tools\n"}, "namespace"),
        ({"node_selector": {"": "a"}}, "node_selector"),
        ({"node_selector": {"a/b/c": "a"}}, "node_selector"),
        ({"node_selector": {"Example.com/pool": "a"}}, "node_selector"),
        ({"node_selector": {"a" * 64: "a"}}, "node_selector"),
        ({"node_selector": {"pool": "a b"}}, "node_selector.pool"),
        ({"node_selector": {"pool": "a" * 64}}, "node_selector.pool"),
        ({"node_selector": {f"l{number}": "" for number in range(MAX_SELECTOR + 1)}}, "node_selector"),
        ({"tolerations": (GPU,) * (MAX_TOLERATIONS + 1)}, "tolerations"),
        ({"tolerations": (GPU, {"keys": "gpu"})}, "tolerations[1]"),
        ({"tolerations": ({"key": 1},)}, "tolerations[0].key"),
        ({"tolerations": ({"key": "gpu", "operator": "In"},)}, "tolerations[0].operator"),
        ({"tolerations": ({"value": "a"},)}, "tolerations[0].operator"),
        ({"tolerations": ({"key": "g pu"},)}, "tolerations[0].key"),
        ({"tolerations": ({**GPU, "value": "a"},)}, "tolerations[0].value"),
        ({"tolerations": ({"key": "gpu", "value": "a b"},)}, "tolerations[0].value"),
        ({"tolerations": ({**GPU, "effect": "Never"},)}, "tolerations[0].effect"),
        ({"tolerations": ({**GPU, "tolerationSeconds": 1},)}, "tolerations[0].tolerationSeconds"),
        (
            {"tolerations": ({**GPU, "effect": "NoExecute", "tolerationSeconds": "1"},)},
            "tolerations[0].tolerationSeconds",
        ),
        ({"egress": Egress("restricted", cidrs=("10.0.0.1/8",))}, "egress.cidrs"),
        ({"egress": Egress("restricted", domains=("*.com",))}, "egress.domains"),
        ({"egress": Egress("off", ports=("https",))}, "egress.ports"),
        ({"resources": Resources(memory="much")}, "resources.memory"),
        ({"resources": Resources(cpu="2", cpu_limit="1")}, "resources.cpu_limit"),
        ({"quota": Quota(servers=-1)}, "quota.servers"),
        ({"quota": Quota(cpu="-1")}, "quota.cpu"),
        ({"quota": Quota(memory="1")}, "quota.memory"),
        ({"image_registries": (DOCKER, "https://registry.example.com")}, "image_registries[1]"),
        ({"image_registries": (DOCKER,) * 33}, "image_registries"),
        ({"presets": ("p",) * 33}, "presets"),
    ],
)
def test_what_a_cluster_would_refuse_is_refused_at_its_field(given: dict[str, Any], field: str) -> None:
    with pytest.raises(BrokenRule) as refused:
        check_environment(environment(**given))
    assert refused.value.field == field
