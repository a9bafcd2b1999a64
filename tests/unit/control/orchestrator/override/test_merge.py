"""The strategic merge: its laws, and that it is the one of Kubernetes, whose schemas tell the fake how to merge."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from control.orchestrator.override.merge import KEYS, merged
from tests.kube.patches import strategically_merged
from tests.kube.schemas import schema_of
from tests.unit.control.orchestrator.override.said_overrides import BASE, OVERRIDE

NAMES = st.sampled_from(["a", "b", "c"])
LEAVES = st.none() | st.integers(0, 3) | NAMES
PORTS = st.fixed_dictionaries({"containerPort": st.integers(1, 3)}, optional={"name": NAMES})
VARIABLES = st.fixed_dictionaries({"name": NAMES}, optional={"value": NAMES, "$patch": st.just("delete")})
MOUNTS = st.fixed_dictionaries({"mountPath": NAMES, "name": NAMES})
CONTAINERS = st.fixed_dictionaries(
    {"name": NAMES},
    optional={
        "image": NAMES,
        "command": st.lists(NAMES, max_size=2),
        "env": st.lists(VARIABLES, max_size=3),
        "ports": st.lists(PORTS, max_size=2),
        "volumeMounts": st.lists(MOUNTS, max_size=2),
        "resources": st.dictionaries(st.sampled_from(["limits", "requests"]), st.dictionaries(NAMES, LEAVES)),
        "$patch": st.sampled_from(["delete", "replace"]),
    },
)
PODS = st.fixed_dictionaries(
    {},
    optional={
        "containers": st.lists(CONTAINERS, max_size=3, unique_by=lambda one: one["name"]),
        "tolerations": st.lists(st.dictionaries(st.just("key"), NAMES), max_size=2),
        "nodeSelector": st.dictionaries(NAMES, st.none() | NAMES, max_size=3),
        "hostAliases": st.lists(st.fixed_dictionaries({"ip": NAMES}), max_size=2),
    },
)


@given(PODS)
def test_what_says_nothing_changes_nothing(pod: dict[str, Any]) -> None:
    base = merged({}, pod)
    assert merged(base, {}) == base


@given(PODS, PODS)
def test_merged_twice_is_merged_once(one: dict[str, Any], other: dict[str, Any]) -> None:
    once = merged(merged({}, one), other)
    assert merged(once, other) == once


@given(PODS, PODS)
def test_merging_changes_neither_of_the_two(one: dict[str, Any], other: dict[str, Any]) -> None:
    kept = copy.deepcopy((one, other))
    merged(one, other)
    assert (one, other) == kept


def test_it_is_as_a_cluster_merges() -> None:
    assert merged(BASE, OVERRIDE) == strategically_merged(BASE, OVERRIDE, schema_of("apps", "v1", "Deployment"))


@pytest.mark.parametrize("field", KEYS)
def test_items_are_told_apart_by_what_kubernetes_tells_them_apart_by(field: str) -> None:
    was = dict.fromkeys(KEYS[field], "x") | {"kept": "1"}
    over = dict.fromkeys(KEYS[field], "x") | {"new": "2"}
    assert merged([was], [over], field) == [was | over]


def test_a_port_is_of_tcp_where_it_does_not_say() -> None:
    was = [{"containerPort": 53, "protocol": "TCP"}, {"containerPort": 53, "protocol": "UDP"}]
    assert merged(was, [{"containerPort": 53, "name": "dns"}], "ports") == [{**was[0], "name": "dns"}, was[1]]


def test_lists_without_a_key_are_replaced() -> None:
    for field in ("command", "args", "envFrom", "tolerations"):
        assert merged([{"a": 1}], [{"b": 2}], field) == [{"b": 2}]


def test_an_item_or_a_whole_list_is_taken_away() -> None:
    was = [{"name": "a"}, {"name": "b"}]
    assert merged(was, [{"name": "a", "$patch": "delete"}], "env") == [{"name": "b"}]
    assert merged(was, [{"$patch": "replace"}, {"name": "c"}], "env") == [{"name": "c"}]


def test_a_map_is_replaced_or_emptied() -> None:
    assert merged({"m": {"a": "1"}}, {"m": {"$patch": "replace", "b": "2"}}) == {"m": {"b": "2"}}
    assert merged({"m": {"a": "1"}}, {"m": {"$patch": "delete"}}) == {"m": {}}
