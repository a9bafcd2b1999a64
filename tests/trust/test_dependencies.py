"""X-7: what we stand on. No version with a known hole, each one fixed, and what is in an image can be told.

The advisories are those of THREAT_MODEL.md; beside each is the first version without it.
"""

from __future__ import annotations

import ast
import json
import re
import tomllib
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from tests.house.dockerfiles import lines_of
from tests.house.tracked import ROOT, python_files

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
UNSAFE_TO_READ = {"pickle", "cPickle", "_pickle", "dill", "cloudpickle", "joblib", "shelve", "marshal", "diskcache"}


def fixed() -> dict[str, Version]:
    """The version of each package that is installed, by its canonical name."""
    lines = [line.partition(";")[0] for line in (ROOT / "constraints.txt").read_text().splitlines()]
    pairs = [line.split("==") for line in lines]
    return {canonicalize_name(name.strip()): Version(version.strip()) for name, version in pairs}


def asked_for() -> list[Requirement]:
    """Every requirement of pyproject.toml, those of the extras too, but for the extras of our own."""
    extras = PROJECT["optional-dependencies"].values()
    texts = [*PROJECT["dependencies"], *(text for extra in extras for text in extra)]
    return [one for one in map(Requirement, texts) if one.name != "archway"]


@pytest.mark.parametrize(
    ("package", "without_holes"),
    [
        # CVE-2024-52304, CVE-2025-53643, CVE-2025-69229, CVE-2026-34525, CVE-2026-54273, CVE-2026-54277
        pytest.param("aiohttp", "3.14.1", id="X-7: floor of aiohttp"),
        pytest.param("pyjwt", "2.12.0", id="X-7: floor of PyJWT"),  # CVE-2026-32597
        pytest.param("mcp", "1.28.1", id="X-7: floor of the MCP SDK"),  # CVE-2026-52869, -52870, -59950
    ],
)
def test_a_version_with_a_known_hole_can_neither_be_asked_for_nor_installed(package: str, without_holes: str) -> None:
    (asked,) = [one for one in asked_for() if one.name == package]
    floors = [Version(one.version) for one in asked.specifier if one.operator == ">="]
    assert max(floors) >= Version(without_holes)
    assert fixed()[package] >= Version(without_holes)


@pytest.mark.parametrize(
    ("package", "without_holes"),
    [
        pytest.param("@modelcontextprotocol/sdk", "1.26.0", id="X-7: floor of the TypeScript SDK"),  # CVE-2026-25536
        pytest.param("@modelcontextprotocol/inspector", "0.14.1", id="X-7: floor of the Inspector"),  # CVE-2025-49596
    ],
)
def test_what_tests_bring_from_npm_has_no_known_hole(package: str, without_holes: str) -> None:
    versions = [Version(one["version"]) for path, one in of_npm().items() if path.endswith(f"node_modules/{package}")]
    assert versions
    assert min(versions) >= Version(without_holes)


@pytest.mark.parametrize(
    "folder", [pytest.param("archway bench bridge control core proxy tools", id="X-7: no pickle")]
)
def test_nothing_is_read_in_a_form_that_runs_code(folder: str) -> None:
    found = [path for path in python_files(*folder.split()) if UNSAFE_TO_READ & imports_of(path)]
    assert found == []
    assert not UNSAFE_TO_READ & fixed().keys()


def imports_of(path: str) -> set[str]:
    """The top-level modules that a file imports, wherever in it."""
    names: set[str] = set()
    for node in ast.walk(ast.parse((ROOT / path).read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module.partition(".")[0])
    return names


@pytest.mark.parametrize("file", [pytest.param("constraints.txt", id="X-7: versions of Python packages fixed")])
def test_each_package_that_is_asked_for_has_one_version(file: str) -> None:
    lines = (ROOT / file).read_text().splitlines()
    assert [line for line in lines if not re.match(r"[\w.-]+==[\w.!+-]+( ; .+)?$", line)] == []
    assert {canonicalize_name(one.name) for one in asked_for()} <= fixed().keys()
    installing = [line for line in lines_of("Dockerfile") if "pip install" in line]
    assert [line for line in installing if "constraints.txt" not in line and "PIP_CONSTRAINT" not in line] == []


@pytest.mark.parametrize("file", [pytest.param("Makefile", id="X-7: nothing younger than a week")])
def test_versions_are_resolved_among_those_that_others_have_had_time_to_look_at(file: str) -> None:
    recipe = re.search(r"^lock:.*\n((?:\t.*\n)+)", (ROOT / file).read_text(), re.MULTILINE)
    assert recipe is not None
    assert "--exclude-newer '7 days'" in recipe[1]


@pytest.mark.parametrize("file", [pytest.param("package-lock.json", id="X-7: packages of npm fixed by their hash")])
def test_each_package_of_npm_has_a_hash(file: str) -> None:
    packages = {path: one for path, one in of_npm(file).items() if path and not one.get("link")}
    assert packages
    assert [path for path, one in packages.items() if not one.get("integrity", "").startswith("sha512-")] == []


def of_npm(file: str = "package-lock.json") -> dict[str, Any]:
    return json.loads((ROOT / "tools" / file).read_text())["packages"]


@pytest.mark.parametrize(
    "brought", [pytest.param({"aiohttp", "orjson", "uvloop", "uv"}, id="X-7: the base image brings four packages")]
)
def test_the_base_image_brings_what_the_bridge_imports_and_no_mcp_sdk(brought: set[str]) -> None:
    (line,) = [line for line in lines_of("deploy/base-image/Dockerfile") if "pip install" in line]
    words = line.partition("&&")[0].partition("constraints.txt ")[2].split()
    assert {re.split("==", word)[0] for word in words} == brought
    assert all("==" in word or canonicalize_name(word) in fixed() for word in words)


@pytest.mark.parametrize(
    "said",
    [
        pytest.param("make sbom", id="X-7: SBOM"),
        pytest.param("trivy image", id="X-7: image scan"),
    ],
)
def test_the_operator_is_told_how_to_learn_what_is_in_an_image(said: str) -> None:
    assert f"    {said}" in (ROOT / "docs" / "operating" / "what-is-in-it.md").read_text()
