"""ApplicationNetworkPolicy of EKS Auto Mode: names and networks in one object.

All egress is in it, since its networks and names are one list of what is allowed; the NetworkPolicy beside it says
who comes in. It has a name of its own: under the name of a NetworkPolicy the two would overwrite each other's
endpoints. `*.` means one label or more there, which is our `**.`; what is our `*.` cannot be said.
https://docs.aws.amazon.com/eks/latest/userguide/auto-net-pol.html
"""

from control.orchestrator.defaults import Defaults
from control.orchestrator.egress.capabilities import Capabilities
from control.orchestrator.egress.kubernetes_policy import egress, ports
from control.orchestrator.identity import metadata, selecting, server_name
from control.orchestrator.kinds import AWS_POLICY, Object
from control.servers.wanted import ConfinedServer
from core.egress.rules import EgressRules

SUFFIX = "-fqdn"


def application_policy(wanted: ConfinedServer, defaults: Defaults, capabilities: Capabilities) -> Object:
    """All that it may reach."""
    name = server_name(wanted.entry, wanted.installation_id) + SUFFIX
    return {
        "apiVersion": AWS_POLICY.api_version,
        "kind": AWS_POLICY.kind,
        "metadata": metadata(wanted, defaults, name),
        "spec": {
            "podSelector": {"matchLabels": selecting(defaults.instance_id, wanted.installation_id)},
            "policyTypes": ["Egress"],
            "egress": [*egress(wanted.egress, capabilities), *_of_names(wanted.egress)],
        },
    }


def _of_names(rules: EgressRules) -> list[Object]:
    return [
        {"to": [{"domainNames": [_said(one) for one in group.domains]}], "ports": ports(group.ports)}
        for group in rules.groups
        if group.domains
    ]


def _said(domain: str) -> str:
    return domain.removeprefix("*") if domain.startswith("**.") else domain
