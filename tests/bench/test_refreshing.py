"""What refreshes cost: a few of them on a real deployment, without a look at the figures."""

from __future__ import annotations

from tests.bench.conftest import run_program


def test_both_forms_of_asking_again_are_told_apart_for_everybody_and_by_their_questions():
    done = run_program("bench.refreshing", "--rounds", "1", "--tokens", "12")
    assert done.returncode == 0, done.stderr
    found = dict(line.split(": ") for line in done.stdout.splitlines() if ": " in line)
    for kind in ("tokens", "installations"):
        assert float(found[f"{kind}_in_lists_questions"]) < float(found[f"{kind}_one_by_one_questions"])
        for who in ("proxy", "control", "postgres", "redis"):
            assert float(found[f"{kind}_in_lists_{who}_us_per_refresh"]) >= 0
