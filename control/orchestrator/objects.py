"""What one server is in a Kubernetes cluster: its objects, of what is wanted and of what all servers inherit. Pure.

In the order in which they are applied: the policies first, else its pod would be there unconfined for a moment; then
the secrets that the pod needs; then the Deployment, and the name at which it is called.
"""

from control.orchestrator.defaults import Defaults
from control.orchestrator.deployment import deployment
from control.orchestrator.egress.capabilities import PLAIN, Capabilities
from control.orchestrator.egress.policies import policies
from control.orchestrator.kinds import Object
from control.orchestrator.network import service
from control.orchestrator.override.faults import NotOverridden
from control.orchestrator.override.overridden import overridden
from control.orchestrator.secret_objects import secret_objects
from control.servers.runtime import Refused
from control.servers.wanted import WantedServer


def objects_of(wanted: WantedServer, defaults: Defaults, capabilities: Capabilities = PLAIN) -> list[Object]:
    """All objects of one server; raises Refused where it cannot be run as it is wanted."""
    return [
        *policies(wanted, defaults, capabilities),
        *secret_objects(wanted, defaults),
        _deployment(wanted, defaults),
        service(wanted, defaults),
    ]


def _deployment(wanted: WantedServer, defaults: Defaults) -> Object:
    """With what its entry's override says, judged again: what may be said can be less than when it was saved."""
    try:
        return overridden(deployment(wanted, defaults), wanted.override)
    except NotOverridden as why:
        raise Refused("override", str(why)) from None
