"""What keeping records costs behind the proxy: a few batches on a real deployment, without a look at the figures."""

from __future__ import annotations

from tests.bench.conftest import run_program


def test_each_form_of_a_batch_is_taken_and_told_apart_for_everybody_behind_the_proxy():
    done = run_program("bench.intake", "--rounds", "1", "--batches", "3", "--records", "20")
    assert done.returncode == 0, done.stderr
    found = dict(line.split(": ") for line in done.stdout.splitlines())
    assert {name.partition("_")[0] for name in found} == {"whole", "rows"}
    for who in ("control", "postgres", "redis"):
        assert float(found[f"rows_{who}_us_per_record"]) >= 0
    assert float(found["whole_bytes_per_record"]) > 500
