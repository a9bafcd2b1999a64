from __future__ import annotations

from pathlib import Path

from control.orchestrator.override.refused_fields import PAGE, why_refused


def test_what_people_try_has_a_sentence_of_its_own_and_the_rest_the_page() -> None:
    assert "the machine's" in why_refused("hostNetwork")
    assert "run.image" in why_refused("image")
    assert PAGE in why_refused("dnsPolicy")


def test_the_page_is_there() -> None:
    assert (Path(__file__).parents[5] / PAGE).is_file()
