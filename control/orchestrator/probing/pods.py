"""The objects of a probe: its pods, made as servers' pods are, and the policies that hold them. Pure.

They have an identifier of their own in the labels that servers have, so that the same builders make their policies;
a label more tells them from servers.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from control.orchestrator.container import BRIDGE
from control.orchestrator.defaults import Defaults
from control.orchestrator.deployment import deployment
from control.orchestrator.egress.capabilities import Capabilities
from control.orchestrator.egress.policies import policies
from control.orchestrator.identity import PROBE, metadata, selecting
from control.orchestrator.kinds import POLICY, Object
from control.orchestrator.probing.trials import PORTS, Trial
from control.registry.environment import Environment
from control.registry.self_hosted import Resources
from control.servers.wanted import BRIDGE_PORT, WantedServer
from core.egress.rules import EgressRules

ENDS_AFTER_S: Final = 300
"""The cluster itself ends a pod then, whatever became of us."""
TRIES_S: Final = 15
"""For what should answer, and again for what should not: a policy may need seconds until it holds."""
_TELLS: Final = "/dev/termination-log"
"""What is written there is in the status of a pod that ended, https://kubernetes.io/docs/tasks/debug/debug-application/determine-reason-pod-failure/."""
_PROGRAM: Final = (*BRIDGE[:-1], "bridge.reach")
_SMALL: Final = Resources(cpu="10m", memory="32Mi", memory_limit="128Mi")


@dataclass(frozen=True, slots=True)
class ProbePod:
    """One pod, and the policies that must be there before it."""

    pod: Object
    policies: tuple[Object, ...]

    @property
    def name(self) -> str:
        """Of the pod."""
        name: str = self.pod["metadata"]["name"]
        return name


def listening(environment: Environment, defaults: Defaults, identifier: str) -> ProbePod:
    """The pod that listens, for other pods of probes and for nobody else."""
    wanted = _wanted(environment, identifier, EgressRules("off"))
    lets_in = {"from": [{"podSelector": {"matchExpressions": [{"key": PROBE, "operator": "Exists"}]}}]}
    said = [word for port in PORTS for word in ("--listen", str(port))]
    policy = _policy(wanted, defaults, {"ingress": [lets_in], "egress": []})
    return ProbePod(_pod(wanted, defaults, said), (policy,))


def sample(environment: Environment, defaults: Defaults, identifier: str, targets: Sequence[str]) -> ProbePod:
    """The pod that nothing holds, and that tries all targets."""
    wanted = _wanted(environment, identifier, EgressRules("all"))
    policy = _policy(wanted, defaults, {"ingress": [], "egress": [{}]})
    return ProbePod(_pod(wanted, defaults, _trying(targets, ())), (policy,))


def held(
    environment: Environment, defaults: Defaults, capabilities: Capabilities, identifier: str, trial: Trial
) -> ProbePod:
    """The pod that is held to a trial's rules, as a server would be. Raises Refused where they come to no policy."""
    wanted = _wanted(environment, identifier, trial.rules)
    made = policies(wanted, defaults, capabilities)
    for one in made:
        one["metadata"]["labels"] = one["metadata"]["labels"] | _label(wanted)
    return ProbePod(_pod(wanted, defaults, _trying(trial.opens, trial.shuts)), tuple(made))


def _wanted(environment: Environment, identifier: str, rules: EgressRules) -> WantedServer:
    return WantedServer(
        installation_id=identifier,
        entry="probe",
        team_id=None,
        generation=1,
        image="",
        command=(),
        transport="stdio",
        port=BRIDGE_PORT,
        path="/mcp",
        health_path="",
        environment={},
        secret_environment={},
        files={},
        bridge_token="",
        resources=_SMALL,
        pull_secrets=(),
        environment_id=environment.id,
        namespace=environment.namespace,
        egress=rules,
        node_selector=environment.node_selector,
        tolerations=environment.tolerations,
    )


def _trying(opens: Sequence[str], shuts: Sequence[str]) -> list[str]:
    said = [f"--open={target}" for target in dict.fromkeys(opens)] + [f"--shut={target}" for target in shuts]
    return [*said, f"--within={TRIES_S}", f"--tell={_TELLS}"]


def _pod(wanted: WantedServer, defaults: Defaults, arguments: Sequence[str]) -> Object:
    """A pod as the Deployment of a server makes them, but that it runs this once."""
    spec = deployment(wanted, defaults)["spec"]["template"]["spec"]
    (container,) = spec["containers"]
    left_out = {"startupProbe", "readinessProbe", "ports", "command", "args"}
    program = {"command": list(_PROGRAM), "args": list(arguments)}
    kept: dict[str, Any] = {name: value for name, value in container.items() if name not in left_out}
    once = {"restartPolicy": "Never", "activeDeadlineSeconds": ENDS_AFTER_S, "terminationGracePeriodSeconds": 1}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": _metadata(wanted, defaults),
        "spec": {**spec, **once, "containers": [kept | program]},
    }


def _policy(wanted: WantedServer, defaults: Defaults, directions: dict[str, Any]) -> Object:
    selected = {"matchLabels": selecting(defaults.instance_id, wanted.installation_id)}
    return {
        "apiVersion": POLICY.api_version,
        "kind": POLICY.kind,
        "metadata": _metadata(wanted, defaults),
        "spec": {"podSelector": selected, "policyTypes": ["Ingress", "Egress"], **directions},
    }


def _metadata(wanted: WantedServer, defaults: Defaults) -> dict[str, Any]:
    made = metadata(wanted, defaults)
    return {**made, "labels": made["labels"] | _label(wanted)}


def _label(wanted: WantedServer) -> dict[str, str]:
    return {PROBE: wanted.environment_id or ""}
