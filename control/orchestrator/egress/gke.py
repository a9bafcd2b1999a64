"""FQDNNetworkPolicy of GKE Dataplane V2: names, beside a NetworkPolicy that shuts everything else.

It only adds to what that one allows, so that one is applied first; it takes one port at a time, and each of its
wildcards is one label.
https://cloud.google.com/kubernetes-engine/docs/how-to/fqdn-network-policies
"""

from control.orchestrator.defaults import Defaults
from control.orchestrator.egress.wildcards import one_label_each
from control.orchestrator.identity import metadata, selecting
from control.orchestrator.kinds import GKE_POLICY, Object
from control.servers.wanted import ConfinedServer
from core.egress.rules import port_range


def fqdn_policy(wanted: ConfinedServer, defaults: Defaults) -> Object | None:
    """The names that it may reach; None where there are none, since one without a rule is no object."""
    rules = [
        {"matches": [_match(one) for one in one_label_each(group.domains)], "ports": _ports(group.ports)}
        for group in wanted.egress.groups
        if group.domains
    ]
    if not rules:
        return None
    return {
        "apiVersion": GKE_POLICY.api_version,
        "kind": GKE_POLICY.kind,
        "metadata": metadata(wanted, defaults),
        "spec": {
            "podSelector": {"matchLabels": selecting(defaults.instance_id, wanted.installation_id)},
            "egress": rules,
        },
    }


def _match(name: str) -> Object:
    return {"pattern": name} if "*" in name else {"name": name}


def _ports(texts: tuple[str, ...]) -> list[Object]:
    each = (range(first, last + 1) for first, last in map(port_range, texts))
    return [{"protocol": "TCP", "port": port} for port in dict.fromkeys(port for some in each for port in some)]
