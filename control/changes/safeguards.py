"""What changes of entries, installations and environments need beside their transaction.

Built once, by `control/replica.py`.
"""

from dataclasses import dataclass
from typing import Final

from control.orchestrator.defaults import Defaults
from control.registry.row_seals import RowSeals
from control.servers.sample import SAMPLE_ID
from core.egress.addresses import AddressPolicy

SAMPLE: Final = Defaults(
    instance_id=SAMPLE_ID, namespace="servers", proxies_namespace="archway", base_image="archway-base",
    name_key=b"of a sample",
)  # fmt: skip
"""Of a deployment that runs no servers in a cluster."""


@dataclass(frozen=True, slots=True)
class Safeguards:
    """What changes stand on: what seals the secrets, and where servers may be."""

    seals: RowSeals
    addresses: AddressPolicy
    own_urls: tuple[str, ...] = ()
    """Where Archway itself is reached, by callers and by people: nothing that is for it alone goes on to a server."""
    namespaces: tuple[str, ...] = ()
    """Of the cluster, in which servers may run, the deployment's own first; (): there is no cluster."""
    defaults: Defaults = SAMPLE
    """What all servers have in common in a cluster, for what is shown of one that may run nowhere yet."""
