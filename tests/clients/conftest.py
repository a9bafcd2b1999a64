"""The real servers for the real clients, and the product between them."""

from tests.fixtures_archway import archway
from tests.fixtures_upstreams import everything_server, modern_only_server, time_server

__all__ = ["archway", "everything_server", "modern_only_server", "time_server"]
