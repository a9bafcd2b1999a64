from __future__ import annotations

from control.orchestrator.override.preview import preview
from control.registry.override_fence import OutOfPlace
from core.strict_yaml import write_yaml
from tests.unit.control.orchestrator.override.said_overrides import BASE, of_pod


def test_what_differs_is_told_as_a_diff_and_the_whole_beside_it() -> None:
    found = preview(BASE, of_pod(nodeSelector={"disk": "ssd"}))
    assert found.faults == ()
    assert "+        disk: ssd" in found.differences.splitlines()
    assert found.differences.startswith("--- without the override\n+++ with the override\n@@")
    assert "disk: ssd" in found.merged


def test_nothing_said_is_nothing_that_differs() -> None:
    found = preview(BASE, "# nothing yet")
    assert (found.merged, found.differences, found.faults) == (write_yaml(BASE), "", ())


def test_of_what_is_refused_nothing_is_merged() -> None:
    found = preview(BASE, "spec:\n  replicas: 2\n")
    assert (found.merged, found.differences) == (write_yaml(BASE), "")
    assert [(one.path, one.line) for one in found.faults] == [("spec.replicas", 2)]


def test_what_leads_elsewhere_has_its_line() -> None:
    path = ("spec", "template", "spec", "nodeSelector", "pool")
    text = "spec:\n  template:\n    spec:\n      nodeSelector:\n        pool: live\n"
    (fault,) = preview(BASE, text, [OutOfPlace(path, "leads elsewhere")]).faults
    assert str(fault) == "line 5: spec.template.spec.nodeSelector.pool leads elsewhere"


def test_all_that_is_refused_is_told_once_and_in_the_order_of_its_lines() -> None:
    text = """
spec:
  template:
    spec:
      hostPID: true
      volumes:
      - name: a
        hostPath: {path: /}
      hostNetwork: true
      nodeSelector:
        pool: live
"""
    path = ("spec", "template", "spec", "nodeSelector", "pool")
    found = preview(BASE, text, [OutOfPlace(path, "leads elsewhere")]).faults
    assert [(one.line, one.path.rpartition(".")[2]) for one in found] == [
        (5, "hostPID"), (8, "hostPath"), (9, "hostNetwork"), (11, "pool"),
    ]  # fmt: skip
