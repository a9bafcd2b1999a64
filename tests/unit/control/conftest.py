"""What tests of the control plane share: a real PostgreSQL."""

from tests.fixtures_postgres import database, pool, postgres

__all__ = ["database", "pool", "postgres"]
