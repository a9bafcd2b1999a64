from __future__ import annotations

import pytest

from control.orchestrator.deployment import deployment
from control.orchestrator.override.faults import NotOverridden
from control.orchestrator.override.overridden import overridden
from control.orchestrator.override.together import own_secret
from tests.kube.wanted_servers import DEFAULTS, HTTP
from tests.unit.control.orchestrator.override.said_overrides import BASE, of_init, of_pod, of_server

WITH_FILES = deployment(HTTP, DEFAULTS)


def test_a_variable_that_is_set_already_is_not_set_again() -> None:
    for name in ("LANG", "API_KEY"):
        with pytest.raises(NotOverridden, match="is set by the entry or by Archway already"):
            overridden(BASE, of_server(env=[{"name": name, "value": "x"}]))


def test_a_volume_that_is_mounted_is_one_of_the_pod() -> None:
    with pytest.raises(NotOverridden, match="names no volume of the pod"):
        overridden(BASE, of_init(volumeMounts=[{"name": "files", "mountPath": "/run/secrets/mcp"}]))
    overridden(WITH_FILES, of_init(volumeMounts=[{"name": "files", "mountPath": "/run/secrets/mcp"}]))


def test_nothing_is_mounted_where_something_of_ours_is() -> None:
    with pytest.raises(NotOverridden, match="is where Archway mounts a volume already"):
        overridden(BASE, of_server(volumeMounts=[{"name": "home", "mountPath": "/var/lib/mcp"}]))


def test_of_our_volumes_only_the_size_is_free() -> None:
    overridden(BASE, of_pod(volumes=[{"name": "tmp", "emptyDir": {"sizeLimit": "1Gi"}}]))
    with pytest.raises(NotOverridden, match="only its sizeLimit is free"):
        overridden(BASE, of_pod(volumes=[{"name": "tmp", "emptyDir": {"sizeLimit": "1Gi", "medium": "Memory"}}]))
    with pytest.raises(NotOverridden, match="is a volume of Archway's"):
        overridden(WITH_FILES, of_pod(volumes=[{"name": "files", "emptyDir": {"sizeLimit": "1Gi"}}]))


def test_an_init_container_gets_secret_variables_of_the_server_alone() -> None:
    for name in ("OTHER", "LANG"):
        said = {"name": "A", "valueFrom": {"secretKeyRef": {"name": "own", "key": name}}}
        with pytest.raises(NotOverridden, match="is no variable of the server that has a secret value"):
            overridden(BASE, of_init(env=[said]))


def test_a_secret_variable_is_found_where_the_server_has_it() -> None:
    server = BASE["spec"]["template"]["spec"]["containers"][0]
    found = own_secret(server, "API_KEY")
    assert found is not None
    assert found["key"] == "variable-0"
    assert own_secret(server, "LANG") is None
