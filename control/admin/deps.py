"""What the operations of the admin API stand on: built once by `control/main.py`, handed to each through `Asked`."""

from dataclasses import dataclass

from control.discovery.discover import Discoverer
from control.registry.row_seals import RowSeals
from control.store.pool import Pool
from core.egress.addresses import AddressPolicy


@dataclass(frozen=True, slots=True)
class Deps:
    """Everything that an operation may use beside its request."""

    pool: Pool
    seals: RowSeals
    discoverer: Discoverer
    addresses: AddressPolicy
    """Where upstream servers may be."""
    public_url: str
    """Of gateways, without a slash at the end."""
    run_token_sha256: str = ""
    """Digest of this run's own admin token; '' where there is none."""
    allowed_hosts: frozenset[str] = frozenset({"localhost", "127.0.0.1", "::1"})
    """Names under which the admin listener answers."""
    records_days: int = 30
    """Days that records of calls are kept."""
