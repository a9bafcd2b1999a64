"""What changes of entries and installations need beside their transaction: built once, by `control/replica.py`."""

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
