"""The page of errors has one row for each reason of the proxy's table, in its order, with its form."""

from __future__ import annotations

import re

from proxy.refusals import TABLE, Reason
from tests.house.tracked import ROOT

PAGE = ROOT / "docs" / "operating" / "errors.md"
ROW = re.compile(r"^\| `(\w+)` \| ([^|]+) \| (yes|no) \| [^|]+ \|$", re.MULTILINE)


def form_of(reason: Reason) -> str:
    if reason.kind == "http":
        return f"HTTP {reason.status}, {reason.code}"
    return f"JSON-RPC {reason.code}" if reason.kind == "rpc" else "tool result"


def test_every_reason_has_its_row():
    told = ROW.findall(PAGE.read_text())
    assert told == [(name, form_of(reason), "yes" if reason.retryable else "no") for name, reason in TABLE.items()]
