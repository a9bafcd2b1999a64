"""The commands that people are told: the Makefile's and the README's."""

from __future__ import annotations

import re
import subprocess

import pytest

from tests.house.tracked import ROOT

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


def test_ci_runs_the_readmes_test_command():
    script = (ROOT / ".ci" / "run").read_text()
    assert "make test" in script
    assert "make check" in script


@pytest.mark.parametrize("script", [".ci/run", "tools/install.sh", "tools/lock.sh", "tools/first_call.sh"])
def test_a_script_stops_at_its_first_error_and_is_executable(script):
    path = ROOT / script
    assert "set -euo pipefail" in path.read_text()
    assert path.stat().st_mode & 0o111
    subprocess.run(["bash", "-n", str(path)], check=True)
