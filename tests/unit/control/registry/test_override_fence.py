"""An override leads neither out of a restricted environment nor into one, and to no images from elsewhere."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from control.registry.environment import Environment
from control.registry.override_fence import out_of_place
from control.registry.override_text import written
from core.strict_yaml import write_yaml

NOW = datetime(2026, 1, 1, tzinfo=UTC)
TAINT = {"key": "dedicated", "value": "live"}


def environment(name: str, **fields: Any) -> Environment:
    return Environment(id=name, name=name, created_at=NOW, updated_at=NOW, version=1, **fields)


LIVE = environment("live", restricted=True, node_selector={"pool": "live"}, tolerations=(TAINT,))
OPEN = environment("open", node_selector={"pool": "open"}, image_registries=("registry.example/ok",))


def found(own: Environment | None, **pod: Any) -> list[str]:
    text = write_yaml({"spec": {"template": {"spec": pod}}})
    return [written(one.path).removeprefix("spec.template.spec.") for one in out_of_place(text, own, [LIVE])]


@pytest.mark.parametrize(
    ("pod", "path"),
    [
        ({"nodeSelector": {"pool": "other"}}, "nodeSelector.pool"),
        ({"nodeSelector": {"pool": None}}, "nodeSelector.pool"),
        ({"nodeSelector": {"$patch": "replace", "a": "b"}}, "nodeSelector.$patch"),
        ({"tolerations": []}, "tolerations"),
    ],
)
def test_a_restricted_environment_alone_says_where_its_servers_run(pod: dict[str, Any], path: str) -> None:
    assert found(LIVE, **pod) == [path]
    assert found(OPEN, **pod) == []


@pytest.mark.parametrize(
    ("pod", "path"),
    [
        ({"nodeSelector": {"pool": "live"}}, "nodeSelector.pool"),
        ({"tolerations": [{"key": "other"}, {"key": "dedicated", "operator": "Exists"}]}, "tolerations[1]"),
    ],
)
def test_nothing_else_gets_to_the_nodes_of_a_restricted_one(pod: dict[str, Any], path: str) -> None:
    assert found(OPEN, **pod) == [path]
    assert found(None, **pod) == [path]


def test_a_label_that_is_taken_away_leads_to_nobody_s_nodes() -> None:
    assert found(OPEN, nodeSelector={"disk": None}) == []
    assert found(None, nodeSelector={"disk": None}) == []


def test_where_a_restricted_one_tolerates_every_taint_each_may_be_that_of_its_nodes() -> None:
    every = environment("live", restricted=True, tolerations=({"operator": "Exists"},))
    text = write_yaml({"spec": {"template": {"spec": {"tolerations": [{"key": "live", "operator": "Exists"}]}}}})
    (one,) = out_of_place(text, None, [every])
    assert written(one.path) == "spec.template.spec.tolerations[0]"


def test_other_labels_of_nodes_may_be_chosen_in_a_restricted_one_too() -> None:
    assert found(LIVE, nodeSelector={"disk": "ssd"}) == []


def test_images_of_init_containers_come_from_where_the_environment_lets_them() -> None:
    ours, others = ({"name": one, "image": f"registry.example/{one}/a:1"} for one in ("ok", "other"))
    assert found(OPEN, initContainers=[ours, others]) == ["initContainers[1].image"]
    assert found(None, initContainers=[others]) == []


def test_a_key_that_is_a_list_leads_nowhere() -> None:
    assert found(OPEN, tolerations=[{"key": ["dedicated"]}]) == []
