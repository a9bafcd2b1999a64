from __future__ import annotations

import re
from typing import get_args

import pytest

from control.registry.server_causes import AGAIN_IN_S, CAUSES, PHASES, words_of
from control.registry.server_state import Phase
from tests.fakes.registry import a_server_state
from tests.house.tracked import ROOT

PAGE = ROOT / "docs" / "operating" / "servers-that-do-not-run.md"
_NAMED = re.compile(r"^## `(\w+)`$", re.MULTILINE)


@pytest.mark.parametrize("cause", CAUSES)
def test_each_cause_has_a_sentence_and_a_cure(cause: str) -> None:
    sentence, cure = words_of(a_server_state(phase="failed", cause=cause))
    assert sentence.endswith(".")
    assert cure.endswith(".")


@pytest.mark.parametrize("cause", CAUSES)
def test_each_cause_is_on_the_page_for_operators_with_its_sentence(cause: str) -> None:
    page = PAGE.read_text()
    section = page.partition(f"## `{cause}`\n")[2].partition("\n## ")[0]
    assert " ".join(section.split()).startswith(CAUSES[cause].sentence)


def test_the_page_has_no_cause_that_nobody_reports() -> None:
    assert _NAMED.findall(PAGE.read_text()) == list(CAUSES)


def test_a_cause_of_a_newer_version_is_told_too() -> None:
    sentence, cure = words_of(a_server_state(phase="failed", cause="from_the_future"))
    assert sentence
    assert cure


def test_a_server_that_is_well_has_no_words() -> None:
    assert words_of(a_server_state()) == ("", "")


def test_a_cure_names_the_installation_as_commands_take_it() -> None:
    cure = words_of(a_server_state(cause="crashed"), "'crm@Red Team'").cure
    assert "archway installations logs 'crm@Red Team' --previous" in cure


def test_each_phase_has_words_and_each_that_passes_a_time() -> None:
    assert set(PHASES) == set(get_args(Phase))
    assert set(AGAIN_IN_S) == {"pending", "pulling", "starting", "stopping", "asleep"}
    assert not any("pending" in words for words in PHASES.values())
