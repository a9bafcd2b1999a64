"""Moments as people say them on the command line: `90d` from now, `1h` ago, or a date and time with its time zone.

Called by `body.py` for options of the kinds `period` and `moment`. Leaves out whether the moment makes sense for the
field: the admin API says that.
"""

import re
from datetime import UTC, datetime, timedelta

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_PERIOD = re.compile(r"([0-9]{1,9})([smhdw])", re.ASCII)
_LONGEST = timedelta(days=36_500)


class NoPeriod(ValueError):
    """The text says no period of time; the sentence says what does."""


def period(text: str) -> timedelta:
    """The period that a text such as `90d` says; raises NoPeriod."""
    found = _PERIOD.fullmatch(text)
    if found is None:
        raise NoPeriod(f"takes a whole number with s, m, h, d or w, such as 30d, 12h or 2w; got {text!r}")
    length = timedelta(**{_UNITS[found[2]]: int(found[1])})
    if not timedelta() < length <= _LONGEST:
        raise NoPeriod(f"takes more than nothing and at most 36500d; got {text!r}")
    return length


def from_now(text: str, now: datetime | None = None) -> str:
    """The moment that lies this period ahead, as the admin API takes it; raises NoPeriod."""
    return _written((now or datetime.now(UTC)) + period(text))


def before_now(text: str, now: datetime | None = None) -> str:
    """The moment that lies this period back, or the text itself where it begins as a date does; raises NoPeriod."""
    if re.match(r"[0-9]{4}-", text):
        return text
    try:
        return _written((now or datetime.now(UTC)) - period(text))
    except NoPeriod:
        raise NoPeriod(
            "takes how long ago, such as 90m, 1h or 2d, or a moment with time zone, such as 2027-01-31T00:00:00Z; "
            f"got {text!r}"
        ) from None


def ago_from(text: str, now: datetime | None = None) -> str:
    """How long ago a moment of the admin API was, in whole minutes, hours or days: `10 min ago`."""
    try:
        seconds = ((now or datetime.now(UTC)) - datetime.fromisoformat(text)).total_seconds()
    except (TypeError, ValueError):
        return f"at {text}"
    for name, least, length in (("days", 172_800, 86_400), ("h", 7_200, 3_600), ("min", 60, 60)):
        if seconds >= least:
            return f"{int(seconds // length)} {name} ago"
    return "just now"


def _written(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds").replace("+00:00", "Z")
