from __future__ import annotations

from control.orchestrator.override.faults import MOST, Fault, Faults, NotOverridden, within


def test_a_fault_has_the_line_of_its_place_or_of_the_nearest_around_it() -> None:
    faults = Faults({("spec",): 1, ("spec", "a"): 4})
    faults.add(("spec", "a", "b"), "is wrong")
    faults.add(("metadata",), "is missing")
    assert [(one.path, one.line) for one in faults.found] == [("spec.a.b", 4), ("metadata", None)]


def test_faults_of_a_part_are_told_with_the_path_of_the_whole() -> None:
    found = within(("spec", "template"), [Fault("a", "x"), Fault("", "y")])
    assert [one.path for one in found] == ["spec.template.a", "spec.template"]


def test_all_that_is_wrong_is_one_sentence() -> None:
    assert str(NotOverridden([Fault("a", "is b", 3), Fault("", "is c")])) == "line 3: a is b; is c"


def test_only_so_many_faults_are_told() -> None:
    faults = Faults({})
    for number in range(MOST + 1):
        faults.add((number,), "is wrong")
    assert [one.path for one in faults.found] == [f"[{number}]" for number in range(MOST)]
