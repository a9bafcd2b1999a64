"""What the tests of faults share: a PostgreSQL for the session, and `archway up` for those that break it.

Each file starts its own system.
"""

from tests.fixtures_postgres import database, postgres
from tests.up.conftest import fresh, running

__all__ = ["database", "fresh", "postgres", "running"]
