"""Wildcards where each stands for one label."""

from __future__ import annotations

from control.orchestrator.egress.wildcards import one_label_each


def test_any_number_of_labels_is_up_to_three() -> None:
    assert one_label_each(["**.a.example"]) == ["*.a.example", "*.*.a.example", "*.*.*.a.example"]


def test_what_is_named_twice_is_said_once() -> None:
    assert one_label_each(["*.a.example", "b.example", "**.a.example", "b.example"]) == [
        "*.a.example",
        "b.example",
        "*.*.a.example",
        "*.*.*.a.example",
    ]
