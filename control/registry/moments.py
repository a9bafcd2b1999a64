"""How a point in time is written, for people and programs alike: RFC 3339, in UTC, to the millisecond.

Used for what the admin API answers and for what the audit trail keeps, so that the two can be compared.
"""

from datetime import UTC, datetime


def in_utc(moment: datetime) -> str:
    """The text, such as `2030-01-31T12:00:00.000Z`."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
