"""Each state of an installation has its words."""

from __future__ import annotations

from typing import get_args

from control.registry.installation import InstallationState
from control.registry.installation_states import STATE_WORDS


def test_each_state_is_told_in_words_and_no_two_alike() -> None:
    assert set(STATE_WORDS) == set(get_args(InstallationState))
    assert len({words.label for words in STATE_WORDS.values()}) == len(STATE_WORDS)
    assert not any("_" in words.label + words.clause for words in STATE_WORDS.values())


def test_only_a_ready_one_is_well() -> None:
    assert [state for state, words in STATE_WORDS.items() if words.tone == "ok"] == ["ready"]
