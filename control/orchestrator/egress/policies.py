"""The objects that confine one server, by who holds egress in the cluster: in the order in which they are applied.

Every server has them, also one whose environment says nothing of egress: its namespace shuts what has none.
"""

import msgspec

from control.orchestrator.defaults import Defaults
from control.orchestrator.egress.aws import application_policy
from control.orchestrator.egress.capabilities import Capabilities
from control.orchestrator.egress.cilium import cilium_policy
from control.orchestrator.egress.gke import fqdn_policy
from control.orchestrator.egress.kubernetes_policy import network_policy
from control.orchestrator.kinds import Object
from control.registry.egress_providers import why_not
from control.servers.runtime import Refused
from control.servers.wanted import ConfinedServer
from core.egress.rules import Allowed, EgressRules


def policies(wanted: ConfinedServer, defaults: Defaults, capabilities: Capabilities) -> list[Object]:
    """Who may call it, and what it may reach; raises Refused where the cluster cannot hold that as it is wanted."""
    _refuse_what_is_not_held(wanted, capabilities)
    match capabilities.provider:
        case "kubernetes":
            return [network_policy(wanted, defaults, capabilities)]
        case "gke":
            base, added = network_policy(wanted, defaults, capabilities), fqdn_policy(wanted, defaults)
            return [base] if added is None else [base, added]
        case "aws":
            return [application_policy(wanted, defaults, capabilities), network_policy(wanted, defaults, None)]
        case "cilium":
            return [cilium_policy(wanted, defaults, capabilities), network_policy(wanted, defaults, None)]


def as_far_as_held(rules: EgressRules, capabilities: Capabilities) -> EgressRules:
    """What of these rules the cluster can hold, and so never more: of a group that it cannot, the networks alone."""

    def held(group: Allowed) -> list[Allowed]:
        ways = (group, msgspec.structs.replace(group, domains=()))
        return [one for one in ways if (one.cidrs or one.domains) and not why_not(capabilities.found, one)][:1]

    allowed = tuple(one for group in rules.groups for one in held(group))
    return msgspec.structs.replace(rules, allowed=allowed)


def _refuse_what_is_not_held(wanted: ConfinedServer, capabilities: Capabilities) -> None:
    for group in wanted.egress.groups:
        if reason := why_not(capabilities.found, group):
            field, sentence = reason
            raise Refused("egress_not_possible", f"{field} of its environment's egress policy: {sentence}")
