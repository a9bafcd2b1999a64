from __future__ import annotations

import pytest

from control.registry.override_text import (
    MOST_VALUES,
    items_said,
    pod_said,
    runs_before,
    says_nodes,
    says_something,
    written,
)

BEFORE = "spec: {template: {spec: {initContainers: [{name: a, image: x}]}}}"


def test_comments_and_blank_lines_say_nothing() -> None:
    assert not says_something("# a\n\n  # b\n")
    assert says_something("# a\nspec: {}\n")


@pytest.mark.parametrize("text", ["", "# a", "a: b: c", "[]", "spec: []", "spec: {template: {spec: 1}}"])
def test_of_what_says_nothing_of_a_pod_nothing_is_read(text: str) -> None:
    assert pod_said(text) == {}


@pytest.mark.parametrize(
    ("said", "is_said"),
    [
        ("nodeSelector: {pool: tools}", True),
        ("nodeSelector: null", True),
        ("tolerations: [{key: gpu, operator: Exists}]", True),
        ("hostAliases: []", False),
    ],
)
def test_whether_it_says_anything_of_nodes_is_known(said: str, is_said: bool) -> None:
    assert says_nodes(f"spec: {{template: {{spec: {{{said}}}}}}}") is is_said


def test_what_is_no_list_of_maps_is_read_as_nothing() -> None:
    assert items_said({"a": [1, {"b": 2}]}, "a") == [{}, {"b": 2}]
    assert items_said({"a": "text"}, "a") == []


def test_other_programs_before_the_server_have_another_word() -> None:
    assert runs_before("") == runs_before("spec: {template: {spec: {nodeSelector: {a: b}}}}") == ""
    assert runs_before(BEFORE) == runs_before(f"# the same\n{BEFORE}") != ""
    assert runs_before(BEFORE) != runs_before(BEFORE.replace("image: x", "image: y"))


def test_a_path_is_written_as_kubernetes_writes_it() -> None:
    assert written(("spec", "containers", 0, "image")) == "spec.containers[0].image"


def test_no_more_of_it_is_read_than_somebody_would_write() -> None:
    assert pod_said(f"spec: {{template: {{spec: {{a: [{'1,' * (MOST_VALUES - 20)}]}}}}}}")
    assert pod_said(f"spec: {{template: {{spec: {{a: [{'1,' * MOST_VALUES}]}}}}}}") == {}
