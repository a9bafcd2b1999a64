"""An entry on its card: a word for its state, of the installations that one sees."""

from __future__ import annotations

import pytest

from control.console.shown_entries import ShownEntry
from control.store.registry_counts import EntryCounts
from tests.fakes.registry import BEARER, an_entry


@pytest.mark.parametrize(
    ("counts", "state"),
    [
        (EntryCounts(), ("not installed", "quiet")),
        (EntryCounts(3, states={"ready": 2}), ("ready", "ok")),
        (EntryCounts(3, changed=1, states={"ready": 2}), ("tools changed", "warn")),
        (EntryCounts(3, states={"ready": 1, "unreachable": 1}), ("ready for some", "warn")),
        (EntryCounts(states={"new": 2}), ("not asked yet", "quiet")),
        (EntryCounts(states={"needs_sign_in": 1, "unreachable": 1}), ("waits for a credential", "warn")),
        (EntryCounts(states={"unreachable": 1, "credential_refused": 1}), ("unreachable", "bad")),
        (EntryCounts(states={"credential_refused": 1}), ("credential refused", "bad")),
    ],
)
def test_its_state_is_a_word(counts: EntryCounts, state: tuple[str, str]) -> None:
    assert ShownEntry(an_entry(), counts).state == state


def test_numbers_labels_and_the_way_in_are_told_in_words() -> None:
    shown = ShownEntry(an_entry(labels={"team": "a=b"}, credential=BEARER), EntryCounts(1, states={"new": 2}))
    assert shown.numbers == "1 tool, 2 installations"
    assert shown.labels == [("team", "a=b", "team=a=b")]
    assert shown.kind == "A key or token"
