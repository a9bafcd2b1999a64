"""The images: what their builds copy is there, no state or secret is sent to a build, and nobody in them is root."""

from __future__ import annotations

import re
import tomllib
from fnmatch import fnmatch

import pytest

from tests.house.dockerfiles import lines_of
from tests.house.tracked import ROOT, tracked

DOCKERFILES = ("Dockerfile", "deploy/base-image/Dockerfile")


def sources_of(path: str) -> list[str]:
    """What it copies from the repository."""
    copies = [line.split()[1:] for line in lines_of(path) if line.startswith("COPY ")]
    return [source for words in copies if not words[0].startswith("--from") for source in words[:-1]]


def left_out(path: str) -> bool:
    patterns = [
        line for line in (ROOT / ".dockerignore").read_text().splitlines() if line and not line.startswith("#")
    ]
    segments = path.split("/")
    parents = ["/".join(segments[:end]) for end in range(1, len(segments) + 1)]
    return any(fnmatch(parent, pattern.removeprefix("**/")) for pattern in patterns for parent in parents)


@pytest.mark.parametrize("dockerfile", DOCKERFILES)
def test_what_a_build_copies_is_tracked_and_sent_to_it(dockerfile: str) -> None:
    files = tracked()
    for source in sources_of(dockerfile):
        assert any(path == source or path.startswith(f"{source}/") for path in files), source
        assert not left_out(source), source


@pytest.mark.parametrize("private", [".git", ".venv/bin/python", ".archway/keys.env", "control.env", "deploy/.env"])
def test_no_state_and_no_secret_is_sent_to_a_build(private: str) -> None:
    assert left_out(private)


@pytest.mark.parametrize("dockerfile", DOCKERFILES)
def test_an_image_starts_from_named_versions_and_runs_as_nobody_special(dockerfile: str) -> None:
    lines = lines_of(dockerfile)
    images = [line.split()[1] for line in lines if line.startswith("FROM ")]
    assert all(re.search(r":\d", image) for image in images), images
    assert [line for line in lines if line.startswith("USER ")] == ["USER 10001:10001"]
    last = max(number for number, line in enumerate(lines) if line.startswith("FROM "))
    assert lines.index("USER 10001:10001") > last


def test_the_image_holds_every_package_of_ours() -> None:
    tools = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]
    packages = {one.rstrip("*") for one in tools["setuptools"]["packages"]["find"]["include"]}
    assert packages <= set(sources_of("Dockerfile"))


def test_process_1_of_the_base_image_is_the_bridge_whatever_its_server_sets() -> None:
    """`-I` (Python's isolated mode): PYTHONPATH and files of the working folder change nothing of the bridge."""
    assert 'ENTRYPOINT ["python", "-I", "-m", "bridge"]' in lines_of("deploy/base-image/Dockerfile")
    assert {"core", "bridge"} <= set(sources_of("deploy/base-image/Dockerfile"))
