"""Objects of Kubernetes that are wrong are seen, in each version."""

from __future__ import annotations

import pytest

from tests.kubernetes_schemas import NEWEST_MINORS, said_against

SERVICE = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "x"}, "spec": {"ports": [{"port": 80}]}}


@pytest.mark.parametrize("version", NEWEST_MINORS)
def test_an_object_as_it_should_be_has_nothing_said_against_it(version: str) -> None:
    assert said_against(SERVICE, version) == ""


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"spec": {"ports": [{"port": "80"}]}}, "spec.ports.0.port"),
        ({"spec": {"ports": [{}]}}, "port"),
        ({"spec": {"portz": []}}, "portz"),
        ({"kind": "Servise"}, "servise"),
    ],
    ids=["a wrong type", "a missing field", "an unknown field", "an unknown kind"],
)
def test_one_that_is_wrong_is_named(wrong: dict[str, object], field: str) -> None:
    assert field in said_against({**SERVICE, **wrong}, NEWEST_MINORS[-1]).lower()
