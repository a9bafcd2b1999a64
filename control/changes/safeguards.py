"""What changes of entries, installations and environments need beside their transaction.

Built once, by `control/replica.py`.
"""

from dataclasses import dataclass

from control.registry.row_seals import RowSeals
from core.egress.addresses import AddressPolicy


@dataclass(frozen=True, slots=True)
class Safeguards:
    """What changes stand on: what seals the secrets, and where servers may be."""

    seals: RowSeals
    addresses: AddressPolicy
    own_urls: tuple[str, ...] = ()
    """Where Archway itself is reached, by callers and by people: nothing that is for it alone goes on to a server."""
    namespaces: tuple[str, ...] = ()
    """Of the cluster, in which servers may run, the deployment's own first; (): there is no cluster."""
