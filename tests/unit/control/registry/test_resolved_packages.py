from dataclasses import replace
from typing import Any

import pytest

from control.registry.resolved_packages import other_versions, packages_in, packages_of
from tests.fakes.registry import a_server_state


def state(*packages: list[str]) -> Any:
    return a_server_state(resolved={"packages": list(packages)})


def test_packages_are_names_with_versions() -> None:
    assert packages_in([["files", "1.0.0"], ["@a/b", "2"]]) == [["files", "1.0.0"], ["@a/b", "2"]]
    assert packages_of(state(["files", "1.0.0"])) == [["files", "1.0.0"]]
    assert packages_of(replace(state(), resolved={"image": "x"})) == packages_of(None) == []


@pytest.mark.parametrize("told", [None, "x", {"files": "1"}, [["a\nb", "1"]], [["a", "1"]] * 9])
def test_what_a_bridge_would_not_say_is_none(told: Any) -> None:
    assert packages_in(told) is None


def test_a_package_that_came_to_another_version_is_told_as_it_was_and_as_it_is() -> None:
    before, after = state(["files", "1.0.0"], ["same", "1"], ["gone", "1"]), state(["files", "1.1.0"], ["same", "1"])
    assert other_versions(before, after) == ([["files", "1.0.0"]], [["files", "1.1.0"]])
    assert other_versions(None, after) == ([], [])
