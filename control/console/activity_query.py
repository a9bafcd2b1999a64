"""What is looked for on the page of calls: the filters of the admin API, with moments as the fields of a browser have
them.

Called by `pages/activity.py`. A moment without a zone is meant in UTC, as everything on that page is.
"""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Final, Literal

from pydantic import BeforeValidator, Field

from control.admin.record_models import RecordQuery
from control.http.models import Moment
from control.store.records import Wanted

_LOCAL: Final = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d)(:\d\d(?:\.\d{1,3})?)?")
_SPANS: Final = {"hour": timedelta(hours=1), "day": timedelta(days=1), "week": timedelta(days=7)}


def in_utc(given: Any) -> Any:
    """`2026-11-28T19:40` as a moment in UTC; anything else as it is, for the API's own check."""
    found = _LOCAL.fullmatch(given) if isinstance(given, str) else None
    return f"{found[1]}{found[2] or ':00'}Z" if found else given


class ActivityQuery(RecordQuery):
    """Filters of the page of calls, and where it goes on."""

    since: Annotated[Moment | None, BeforeValidator(in_utc), Field(alias="from")] = None
    until: Annotated[Moment | None, BeforeValidator(in_utc), Field(alias="to")] = None
    within: Literal["hour", "day", "week"] | None = None

    def wanted_at(self, now: datetime, principals: list[str] | None) -> Wanted:
        """As the store takes it: records of these callers alone (None: of all)."""
        begin = self.since
        if self.within is not None:
            latest = now.astimezone(UTC) - _SPANS[self.within]
            begin = latest if begin is None else max(begin, latest)
        return replace(self.wanted, since=begin, principals=principals)
