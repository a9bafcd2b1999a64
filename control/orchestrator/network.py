"""The name of a server for proxies, in its cluster. What lets them in, and confines it, is in `egress/`."""

from typing import Any

from control.orchestrator.container import PORT
from control.orchestrator.defaults import Defaults
from control.orchestrator.identity import metadata, selecting
from control.servers.wanted import WantedServer


def service(wanted: WantedServer, defaults: Defaults) -> dict[str, Any]:
    """The address at which proxies call it; leads nowhere until it is ready."""
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": metadata(wanted, defaults),
        "spec": {
            "type": "ClusterIP",
            "selector": selecting(defaults.instance_id, wanted.installation_id),
            "ports": [{"name": PORT, "port": wanted.port, "targetPort": PORT, "protocol": "TCP"}],
        },
    }
