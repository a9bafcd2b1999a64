"""Init containers are confined as the server is, whatever is said of them."""

from __future__ import annotations

from typing import Any

from control.orchestrator.override.init_containers import completed
from control.orchestrator.override.overridden import overridden
from tests.unit.control.orchestrator.override.said_overrides import BASE, of_init, of_pod

SERVER = BASE["spec"]["template"]["spec"]["containers"][0]


def only_one(text: str) -> dict[str, Any]:
    (made,) = overridden(BASE, text)["spec"]["template"]["spec"]["initContainers"]
    return dict(made)


def test_it_may_what_the_server_may_and_use_as_much() -> None:
    made = only_one(of_init())
    assert made["securityContext"] == SERVER["securityContext"]
    assert made["resources"] == SERVER["resources"]


def test_what_the_server_may_write_by_the_override_it_may_too() -> None:
    server = {"name": "server", "resources": {"limits": {"ephemeral-storage": "4Gi"}}}
    made = only_one(of_pod(containers=[server], initContainers=[{"name": "a", "image": "x"}]))
    assert made["resources"]["limits"]["ephemeral-storage"] == "4Gi"


def test_it_has_a_folder_to_write_to() -> None:
    made = only_one(of_init())
    assert made["volumeMounts"] == [{"name": "tmp", "mountPath": "/tmp"}]
    assert {"name": "HOME", "value": "/tmp"} in made["env"]


def test_its_home_is_the_servers_where_it_mounts_that() -> None:
    made = only_one(of_init(volumeMounts=[{"name": "home", "mountPath": "/var/lib/mcp"}]))
    assert {"name": "HOME", "value": "/var/lib/mcp"} in made["env"]


def test_a_secret_is_the_one_of_the_installation_whatever_its_name() -> None:
    said = {"name": "KEY", "valueFrom": {"secretKeyRef": {"name": "own", "key": "API_KEY"}}}
    made = only_one(of_init(env=[said]))
    theirs = next(one["valueFrom"] for one in SERVER["env"] if one["name"] == "API_KEY")
    assert made["env"][-1] == {"name": "KEY", "valueFrom": theirs}


def test_without_any_nothing_is_made() -> None:
    assert completed(BASE, BASE) is BASE
