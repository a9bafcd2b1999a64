from pathlib import Path

import pytest

from archway.up.form import form


@pytest.fixture
def packages(tmp_path: Path) -> Path:
    (tmp_path / "core").mkdir()
    (tmp_path / "proxy").mkdir()
    return tmp_path


def test_a_checkout_without_a_build_names_the_command(packages):
    (packages / "Makefile").touch()

    assert form({}, packages) == "interpreted; `make compiled` halves what a call costs, from the next start on"


def test_where_there_is_nothing_to_make_it_with_no_command_is_named(packages):
    assert form({}, packages) == "interpreted"


def test_a_build_that_does_not_fit_is_named_with_its_reason(packages):
    (packages / ".compiled").mkdir()

    assert "it has no stamp; `make compiled` makes them again" in form({}, packages)


def test_where_it_is_switched_off_nothing_is_looked_at(packages):
    (packages / ".compiled").mkdir()

    assert form({"ARCHWAY_COMPILED": "0"}, packages) == "interpreted (ARCHWAY_COMPILED)"
