"""The commands that people are told: the Makefile's and the README's."""

from __future__ import annotations

import re
import subprocess
import tomllib
from pathlib import PurePosixPath

import pytest

from tests.house.tracked import ROOT, text_of, tracked

TARGET = re.compile(r"^([a-z][a-z-]*):", re.MULTILINE)


def targets() -> set[str]:
    return set(TARGET.findall((ROOT / "Makefile").read_text()))


def test_help_lists_every_target_with_its_meaning():
    command = ["make", "--no-print-directory", "help"]  # this test may itself be run by make
    text = subprocess.run(command, cwd=ROOT, capture_output=True, check=True, text=True).stdout
    explained = {line.split()[0] for line in text.splitlines() if len(line.split()) > 1}
    assert explained == targets()


def test_every_target_is_phony():
    phony = re.search(r"^\.PHONY: (.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert phony is not None
    assert targets() <= set(phony.group(1).split())


@pytest.mark.parametrize("command", ["make up", "make test"])
def test_the_readme_shows(command):
    assert command in (ROOT / "README.md").read_text()


@pytest.mark.parametrize(
    "command",
    ["make check", "make test", "make faults", "make journeys", "make pages", "make charts", "make clients"],
)
def test_ci_runs(command):
    assert f"step {command}\n" in (ROOT / ".ci" / "run").read_text()


def pytest_words(target: str) -> list[str]:
    """What the Makefile gives to pytest for this target."""
    recipe = re.search(rf"^{target}:.*\n((?:\t.*\n)+)", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert recipe is not None
    (line,) = [line for line in recipe[1].splitlines() if "pytest" in line]
    return line.split()[1:]


def test_what_make_test_leaves_out_is_what_the_other_targets_run():
    usual = ["-n", "2", "--dist", "loadfile"]
    left_out = [word.removeprefix("--ignore=") for word in pytest_words("test") if word.startswith("--ignore=")]
    three = ["-n", "3", *usual[2:]]  # tests that wait for processes: two cores have room for one more
    assert pytest_words("test") == [*three, "--trust-table=test", *(f"--ignore={folder}" for folder in left_out)]
    assert pytest_words("faults") == [*three, "--trust-table=faults", *left_out[:-5]]
    for target, folder in zip(("journeys", "pages", "charts", "clients"), left_out[-5:-1], strict=True):
        assert pytest_words(target) == [*usual, folder]
    assert pytest_words("check") == ["-q", left_out[-1]]
    assert all((ROOT / folder).is_dir() for folder in left_out)


def test_no_test_file_stands_where_neither_command_looks():
    config = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["pytest"]["ini_options"]
    assert config["testpaths"] == ["tests"]
    assert not {"norecursedirs", "python_files"} & set(config)
    named_so = [path for path in tracked() if PurePosixPath(path).match("test_*.py")]
    assert not [path for path in named_so if not path.startswith("tests/")]
    conftests = [path for path in tracked() if path.endswith("conftest.py")]
    assert not [path for path in conftests if "collect_ignore" in (text_of(path) or "")]


@pytest.mark.parametrize("script", [".ci/run", "tools/install.sh", "tools/lock.sh", "tools/first_call.sh"])
def test_a_script_stops_at_its_first_error_and_is_executable(script):
    path = ROOT / script
    assert "set -euo pipefail" in path.read_text()
    assert path.stat().st_mode & 0o111
    subprocess.run(["bash", "-n", str(path)], check=True)
