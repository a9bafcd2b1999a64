"""What goes wrong between a fake API server and who asks it, as a test says: refusals, cut connections, silence."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Literal

What = int | Literal["reset", "lost", "silent"]
"""A status to answer with; or `reset`: the connection ends before anything is done; `lost`: it is done, and the
connection ends before the answer; `silent`: nothing is done or answered, for as long as the caller waits."""
REASONS = {401: "Unauthorized", 403: "Forbidden", 404: "NotFound", 409: "Conflict", 429: "TooManyRequests"}
REASONS |= {500: "InternalError", 503: "ServiceUnavailable", 504: "Timeout"}


@dataclass(slots=True)
class Fault:
    """One kind of fault, for requests that it fits."""

    what: What
    times: int = 1
    method: str = ""
    path: str = ""
    """A regular expression, found anywhere in the path; '': all."""
    retry_after: int | None = None
    """Seconds, in the header `Retry-After` of the answer."""
    message: str = "injected"
    happened: int = 0


@dataclass(slots=True)
class Faults:
    """The faults that are to come, in the order in which they were asked for."""

    to_come: list[Fault] = field(default_factory=list)

    def add(self, what: What, **how: object) -> Fault:
        """One more: `faults.add(429, retry_after=1, method="PATCH", path="/secrets/", times=3)`."""
        fault = Fault(what, **how)  # type: ignore[arg-type]
        self.to_come.append(fault)
        return fault

    def of(self, method: str, path: str) -> Fault | None:
        """The fault for this request, which has then happened once more."""
        for one in self.to_come:
            if one.happened < one.times and one.method in {"", method} and re.search(one.path, path):
                one.happened += 1
                return one
        return None
