"""What the tests of faults share: a PostgreSQL for the session. Each file starts its own system on it."""

from tests.fixtures_postgres import postgres

__all__ = ["postgres"]
