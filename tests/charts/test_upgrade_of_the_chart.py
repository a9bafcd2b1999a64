"""An upgrade from the chart before to this one restarts no server: each keeps its pod template, to the byte.

`golden/settings-of-the-chart-before.yaml` is what that chart told control, by the rows of the matrix, and
`golden/pod-templates-of-the-chart-before.yaml` the digests of what control made of it then. Both are replaced at a
release, by what the chart of that release tells and control makes.
"""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path
from shutil import copytree
from types import ModuleType
from typing import Any

import pytest
import yaml

from control.orchestrator.defaults import Defaults
from control.orchestrator.objects import objects_of
from control.settings import from_environment
from tests.charts.conftest import Render
from tests.charts.keys import secrets_of_a_deployment
from tests.charts.matrix import MATRIX, NEEDED
from tests.charts.objects import container_of, named, of_kind, settings_of
from tests.charts.rendering import CHART, objects_in, texts_of
from tests.house.tracked import ROOT
from tests.kube.wanted_servers import GOLDEN, INSTANCE

FOLDER = ROOT / "tests" / "charts" / "golden"
BEFORE: dict[str, dict[str, str]] = yaml.safe_load((FOLDER / "settings-of-the-chart-before.yaml").read_text())
TEMPLATES: dict[str, dict[str, str]] = yaml.safe_load((FOLDER / "pod-templates-of-the-chart-before.yaml").read_text())


def defaults_of(told: dict[str, str], patch: pytest.MonkeyPatch) -> Defaults:
    """What control takes from its settings for every server."""
    with patch.context() as told_now:
        for name, value in {**secrets_of_a_deployment(), **told}.items():
            told_now.setenv(name, value)
        settings = from_environment()
    return Defaults(
        instance_id=INSTANCE,
        namespace=settings.namespaces[0],
        proxies_namespace=settings.release_namespace,
        base_image=settings.base_image,
        name_key=b"k" * 32,
        node_selector=settings.node_selector,
        tolerations=settings.tolerations,
    )


def digest_of_template(server: str, defaults: Defaults) -> str:
    wanted, _, *rest = GOLDEN[server]
    (deployment,) = of_kind(objects_of(wanted, defaults, *rest), "Deployment")
    return sha256(json.dumps(deployment["spec"]["template"], sort_keys=True).encode()).hexdigest()


@pytest.mark.parametrize("way", BEFORE)
def test_a_server_keeps_its_pod_template(way: str, render: Render, monkeypatch: pytest.MonkeyPatch) -> None:
    now = defaults_of(settings_of(render(MATRIX[way]), "control"), monkeypatch)
    assert {server: digest_of_template(server, now) for server in TEMPLATES[way]} == TEMPLATES[way]


@pytest.mark.parametrize("way", BEFORE)
def test_control_of_this_version_takes_the_settings_of_the_chart_before(
    way: str, render: Render, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = defaults_of(settings_of(render(MATRIX[way]), "control"), monkeypatch)
    assert defaults_of(BEFORE[way], monkeypatch) == now


@pytest.mark.parametrize("way", BEFORE)
def test_what_was_told_before_is_told_the_same_or_under_another_name(way: str, render: Render) -> None:
    now: dict[str, Any] = settings_of(render(MATRIX[way]), "control")
    renamed = {"ARCHWAY_SERVERS_NAMESPACE"}
    assert {name: now.get(name) for name in BEFORE[way] if name not in renamed} == {
        name: value for name, value in BEFORE[way].items() if name not in renamed
    }


def test_values_that_were_accepted_before_still_are(render: Render) -> None:
    """The whole of the file of values before, as somebody may have copied it."""
    values = yaml.safe_load((FOLDER / "values-of-the-chart-before.yaml").read_text())
    now = yaml.safe_load((CHART / "values.yaml").read_text())
    needed = {part: {**values[part], **NEEDED[part]} for part in ("image", "servers")}
    assert render({**values, **NEEDED, **needed})
    assert {name for name in values if name not in now} == set()


def test_proxies_that_stay_behind_are_not_replaced_by_a_newer_chart(
    render: Render, helm: ModuleType, tmp_path: Path
) -> None:
    """The first step of an upgrade: control new, the proxies on the version that they have."""
    newer = copytree(CHART, tmp_path / "archway")
    named_so = (newer / "Chart.yaml").read_text()
    (newer / "Chart.yaml").write_text(named_so.replace("ersion: 0.1.0", "ersion: 0.2.0"))
    with helm.Chart.load(newer) as chart:
        after = objects_in(texts_of(chart, {"proxy": {"imageTag": "0.1.0"}}))
    assert container_of(after, "control")["image"].endswith(":0.2.0")
    before, now = (named(one, "Deployment", "archway-proxy")["spec"]["template"] for one in (render({}), after))
    assert now == before
