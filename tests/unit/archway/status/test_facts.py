from __future__ import annotations

from typing import Any

import pytest

from archway.status.facts import installation_facts

ENTRY = {"id": "e1", "slug": "files"}
ROW = {"id": "i1", "name": "Files", "entry_id": "e1", "scope": "organisation", "state": "ready", "state_reason": ""}
RUNS = {"place": "process", "phase": "ready", "sentence": "", "isolation": "none"}


class Listed:
    """An admin API with one entry and one installation."""

    def __init__(self, **changes: Any) -> None:
        self._installation = {**ROW, **changes}

    def pages(self, path: str) -> list[dict[str, Any]]:
        return [ENTRY] if path == "/entries" else [self._installation]


@pytest.mark.parametrize(
    ("changes", "runtime", "isolation", "state", "reason"),
    [
        ({"runs": None}, "remote", "", "ready", ""),
        ({"runs": RUNS}, "process", "none", "ready", ""),
        (
            {"runs": {**RUNS, "place": "cluster", "phase": "failed", "sentence": "Why.", "isolation": "kubernetes"}},
            "cluster", "kubernetes", "failed", "Why.",
        ),
        (
            {"runs": {**RUNS, "place": None, "phase": "failed", "sentence": "None here.", "isolation": ""}},
            "none", "", "failed", "None here.",
        ),
        ({"runs": RUNS, "state": "new"}, "process", "none", "new", ""),
        ({"standing": {"word": "shut_out", "cause": "Why not."}}, "remote", "", "shut_out", "Why not."),
    ],
)  # fmt: skip
def test_a_fact_says_where_a_server_runs_and_how_it_does(
    changes: dict[str, Any], runtime: str, isolation: str, state: str, reason: str
) -> None:
    api: Any = Listed(**changes)
    (fact,) = installation_facts(api)
    assert (fact.entry, fact.runtime, fact.isolation, fact.state, fact.reason) == (
        "files", runtime, isolation, state, reason,
    )  # fmt: skip
