"""The pods of probes are hardened as servers are, and held by policies of the same builders."""

from __future__ import annotations

from dataclasses import replace

from control.orchestrator.deployment import deployment
from control.orchestrator.egress.capabilities import PLAIN
from control.orchestrator.identity import INSTALLATION, INSTANCE, PROBE
from control.orchestrator.probing.pods import ENDS_AFTER_S, TRIES_S, held, listening, sample
from control.orchestrator.probing.prober import ENDS_WITHIN_S, STARTS_WITHIN_S
from control.orchestrator.probing.trials import Trial
from core.egress.rules import EgressRules
from core.reach_terms import MOST_TARGETS
from tests.kube.wanted_servers import DEFAULTS, STDIO
from tests.kube.wanted_servers import INSTANCE as OURS
from tests.unit.control.orchestrator.probing.environments import ENVIRONMENT, ID

PROBED = "0193a1b2-0000-7000-8000-0000000000cc"
HELD = held(ENVIRONMENT, DEFAULTS, PLAIN, PROBED, Trial("off", EgressRules("off"), ("nameserver",), ("api-server",)))


def test_a_probe_is_confined_as_a_server_is() -> None:
    spec = HELD.pod["spec"]
    server = deployment(STDIO, DEFAULTS)["spec"]["template"]["spec"]
    assert spec["securityContext"] == server["securityContext"]
    assert spec["automountServiceAccountToken"] is False
    assert spec["enableServiceLinks"] is False
    (container,), (of_server,) = spec["containers"], server["containers"]
    assert container["securityContext"] == of_server["securityContext"]
    assert container["image"] == DEFAULTS.base_image


def test_it_runs_once_and_ends_by_itself_later_than_anybody_waits_for_it() -> None:
    spec = HELD.pod["spec"]
    assert (spec["restartPolicy"], spec["activeDeadlineSeconds"]) == ("Never", ENDS_AFTER_S)
    assert STARTS_WITHIN_S + ENDS_WITHIN_S < ENDS_AFTER_S
    assert 3 * TRIES_S < ENDS_WITHIN_S
    (container,) = spec["containers"]
    assert not {"readinessProbe", "startupProbe", "ports"} & container.keys()


def test_it_is_told_what_to_try() -> None:
    (container,) = HELD.pod["spec"]["containers"]
    assert container["command"] == ["python", "-I", "-m", "bridge.reach"]
    assert container["args"][:2] == ["--open=nameserver", "--shut=api-server"]


def test_all_that_is_of_it_has_its_labels_and_its_policy_selects_it() -> None:
    for one in (HELD.pod, *HELD.policies):
        labels = one["metadata"]["labels"]
        assert (labels[INSTANCE], labels[INSTALLATION], labels[PROBE]) == (OURS, PROBED, ID)
    selected = {INSTANCE: OURS, INSTALLATION: PROBED}
    assert all(one["spec"]["podSelector"]["matchLabels"] == selected for one in HELD.policies)


def test_the_sample_may_go_anywhere_and_nobody_comes_to_it() -> None:
    (policy,) = sample(ENVIRONMENT, DEFAULTS, PROBED, ["a:1", "a:1"]).policies
    assert policy["spec"]["policyTypes"] == ["Ingress", "Egress"]
    assert (policy["spec"]["ingress"], policy["spec"]["egress"]) == ([], [{}])


def test_the_listener_lets_in_probes_alone() -> None:
    made = listening(ENVIRONMENT, DEFAULTS, PROBED)
    (policy,) = made.policies
    (rule,) = policy["spec"]["ingress"]
    assert rule == {"from": [{"podSelector": {"matchExpressions": [{"key": PROBE, "operator": "Exists"}]}}]}
    assert policy["spec"]["egress"] == []
    assert made.pod["spec"]["containers"][0]["args"] == ["--listen", "8081", "--listen", "8082"]


def test_each_target_is_tried_once() -> None:
    pod = sample(ENVIRONMENT, DEFAULTS, PROBED, ["a:1", "b:1", "a:1"]).pod
    assert pod["spec"]["containers"][0]["args"][:2] == ["--open=a:1", "--open=b:1"]
    assert MOST_TARGETS > 8 + 5


def test_it_runs_where_the_environments_servers_do() -> None:
    pinned = replace(ENVIRONMENT, node_selector={"pool": "staging"})
    assert sample(pinned, DEFAULTS, PROBED, []).pod["spec"]["nodeSelector"] == {"pool": "staging"}
