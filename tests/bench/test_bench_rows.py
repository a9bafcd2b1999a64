"""The benchmark's rows in their smallest form, so that they do not rot: what they find is looked at, no figure is."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from bench.plan import HEADLINE, plan_of
from bench.report import Report
from bench.run import ROWS, _one_row
from tests.bench.conftest import run_program

TINY = {
    "BENCH_ROUNDS": "1",
    "BENCH_SECONDS": "0.3",
    "BENCH_CALLERS": "8",
    "BENCH_GATEWAYS": "3",
    "BENCH_MANY_TOOLS": "60",
    "BENCH_STREAMS": "20",
    "BENCH_OVERLOAD_SECONDS": "1",
    "BENCH_MANY_CALLERS": "30",
}
CHEAP = (
    "headline", "gateways", "gets", "streams", "overload", "slow", "signed_tokens", "many_callers", "oauth_refreshes",
)  # fmt: skip


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> tuple[subprocess.CompletedProcess[str], Path]:
    """One run of the program over the rows that differ in how they work."""
    folder = tmp_path_factory.mktemp("results")
    settings = {**TINY, "BENCH_ROWS": " ".join(CHEAP)}
    return run_program("bench.run", "--out", str(folder), timeout=280, **settings), folder


@pytest.fixture(scope="module")
def scale(tmp_path_factory: pytest.TempPathFactory) -> dict[str, float]:
    """The lines of the rows about eras, long lists and listeners."""
    folder = tmp_path_factory.mktemp("scale")
    settings = {**TINY, "BENCH_ROWS": "cells lists searches listening"}
    done = run_program("bench.run", "--out", str(folder), timeout=280, **settings)
    assert done.returncode == 0, done.stdout + done.stderr
    lines: dict[str, float] = json.loads(next(folder.glob("*.json")).read_text())["lines"]
    return lines


@pytest.fixture(scope="module")
def accounts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, float]:
    """The lines of the rows whose callers have accounts at a provider; they take a while, as tokens have to end."""
    folder = tmp_path_factory.mktemp("accounts")
    settings = {**TINY, "BENCH_ROWS": "resolved account_renewals"}
    done = run_program("bench.run", "--out", str(folder), timeout=280, **settings)
    assert done.returncode == 0, done.stdout + done.stderr
    lines: dict[str, float] = json.loads(next(folder.glob("*.json")).read_text())["lines"]
    return lines


@pytest.mark.timeout(300)
def test_a_small_run_measures_every_row_that_was_asked_for(run):
    done, folder = run
    assert done.returncode == 0, done.stdout + done.stderr
    (written,) = folder.glob("*.json")
    document = json.loads(written.read_text())
    assert document["failed"] == []
    assert set(document["rows"]) == set(CHEAP)
    assert document["facts"]["cores"] == os.cpu_count()


def test_it_ends_with_lines_of_names_and_values(run):
    done, _ = run
    lines = done.stdout.splitlines()
    found = dict(line.split(": ") for line in lines[-10:])
    assert all(float(value) >= 0 for value in found.values())
    assert any(line.startswith("aiohttp_cpu_us_per_call: ") for line in lines)


def test_the_headline_tells_what_a_call_costs_in_each_part_of_the_product(run):
    _, folder = run
    lines = json.loads(next(folder.glob("*.json")).read_text())["lines"]
    behind = [lines[f"{part}_cpu_us_per_call"] for part in ("control", "postgres", "redis")]
    assert lines["control_database_redis_cpu_us_per_call"] == pytest.approx(sum(behind), abs=0.1)
    assert lines["proxy_cpu_us_per_call"] == lines["fast_cpu_us_per_call"]


def test_each_round_of_the_headline_says_how_many_refreshes_it_saw(run):
    _, folder = run
    document = json.loads(next(folder.glob("*.json")).read_text())
    rounds = [one for seen in document["rows"]["headline"].values() for one in seen]
    assert rounds
    assert all(one["refreshes"] >= 0 and one["refresh_questions"] >= 0 for one in rounds)
    assert document["lines"]["refreshes_of_the_round_with_most"] >= document["lines"]["refreshes_per_round"] >= 0


def test_the_streams_were_all_open_beside_the_calls(run):
    _, folder = run
    lines = json.loads(next(folder.glob("*.json")).read_text())["lines"]
    assert (lines["streams_open"], lines["streams_lost"]) == (20, 0)


@pytest.mark.timeout(300)
def test_listeners_were_all_open_beside_the_calls(scale):
    assert (scale["listening_open"], scale["listening_lost"]) == (20, 0)


@pytest.mark.timeout(300)
def test_both_crossed_cells_are_told_as_ratios(scale):
    assert scale["modern_to_legacy_ratio_to_straight"] > 0
    assert scale["legacy_to_modern_ratio_to_straight"] > 0


@pytest.mark.timeout(300)
def test_lists_and_searches_are_told(scale):
    assert scale["lists_cpu_us_per_call"] > 0
    assert scale["searches_alone_p50_ms"] > 0


def test_no_answer_was_neither_good_nor_a_refusal(run):
    _, folder = run
    lines = json.loads(next(folder.glob("*.json")).read_text())["lines"]
    assert (lines["overload_wrong"], lines["slow_calls_wrong"]) == (0, 0)


def test_each_way_of_authenticating_is_told_beside_the_static_token(run):
    _, folder = run
    lines = json.loads(next(folder.glob("*.json")).read_text())["lines"]
    for way in ("oauth", "jwt", "long_jwt"):
        assert lines[f"signed_tokens_{way}_ratio_to_static"] > 0
        assert lines[f"signed_tokens_{way}_first_ratio_to_static"] > 0


def test_everybody_came_for_the_first_time_by_each_way_and_then_went_by_a_plan(run):
    _, folder = run
    document = json.loads(next(folder.glob("*.json")).read_text())
    first = document["rows"]["many_callers"]["first"]
    assert {way: seen["calls"] for way, seen in first.items()} == {"static": 10, "oauth": 10, "long_jwt": 10}
    assert document["lines"]["many_callers_planned_share"] > 0
    assert document["lines"]["many_callers_cached_share"] > 0


def test_refresh_tokens_were_taken_at_the_rate_that_was_offered(run):
    _, folder = run
    lines = json.loads(next(folder.glob("*.json")).read_text())["lines"]
    assert lines["oauth_refreshes_most_per_second"] > 0
    assert lines["oauth_refreshes_p99_ms"] >= lines["oauth_refreshes_p50_ms"] > 0


@pytest.mark.timeout(300)
def test_a_callers_own_account_is_told_beside_an_installation_that_all_share(accounts):
    assert accounts["resolved_ratio_to_pinned"] > 0
    assert accounts["resolved_p50_ratio_to_pinned"] > 0


@pytest.mark.timeout(300)
def test_tokens_that_end_together_are_renewed_once_and_no_call_fails(accounts):
    assert accounts["account_renewals_callers"] == 8
    assert accounts["account_renewals_herd_calls"] == 8
    assert accounts["account_renewals_ahead_calls"] > 8
    for shape in ("ahead", "herd"):
        assert accounts[f"account_renewals_{shape}_failed"] == 0
        assert accounts[f"account_renewals_{shape}_p99_ms"] >= accounts[f"account_renewals_{shape}_p50_ms"] > 0


def test_a_picture_is_drawn(run):
    _, folder = run
    (drawn,) = folder.glob("*.svg")
    assert "<svg" in drawn.read_text()


def test_a_row_that_there_is_not_is_named():
    done = run_program("bench.run", timeout=60, BENCH_ROWS="gateway")
    assert done.returncode == 2
    assert "there is no row 'gateway'; there are headline, connections" in done.stderr


def test_a_row_whose_program_ends_badly_is_told_and_the_others_go_on(monkeypatch, tmp_path, capsys):
    def ends_badly(_):
        """A row that needs another program."""
        subprocess.run(["false"], check=True)

    monkeypatch.setitem(ROWS, "stages", ends_badly)
    report = Report({}, tmp_path)
    _one_row("stages", None, report)
    assert [told.partition(":")[0] for told in report.failed] == ["stages"]
    assert "failed: " in capsys.readouterr().out


def test_the_short_run_has_rows_that_exist():
    assert set(plan_of({"BENCH_SHORT": "1"}).rows) == set(HEADLINE) <= set(ROWS)


@pytest.mark.parametrize("wrong", ["0", "-1", "many"])
def test_a_length_that_is_none_is_refused_by_its_name(wrong):
    with pytest.raises(ValueError, match="BENCH_SECONDS must be"):
        plan_of({"BENCH_SECONDS": wrong})
