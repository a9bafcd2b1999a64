"""The real servers for the real clients."""

from tests.fixtures_upstreams import everything_server, time_server

__all__ = ["everything_server", "time_server"]
