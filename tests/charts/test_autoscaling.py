"""Proxies that come and go with the load."""

from __future__ import annotations

from tests.charts.conftest import Render
from tests.charts.matrix import MATRIX, QUEUE
from tests.charts.objects import named, of_kind

CPU = {"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 70}}}


def test_the_autoscaler_alone_says_how_many_proxies_there_are(render: Render) -> None:
    rendered = render(MATRIX["autoscaled"])
    (scaler,) = of_kind(rendered, "HorizontalPodAutoscaler")
    assert scaler["spec"]["scaleTargetRef"] == {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "name": "archway-proxy",
    }
    assert (scaler["spec"]["minReplicas"], scaler["spec"]["maxReplicas"]) == (3, 12)
    assert "replicas" not in named(rendered, "Deployment", "archway-proxy")["spec"]
    assert named(rendered, "Deployment", "archway-control")["spec"]["replicas"] == 2


def test_without_it_the_values_say_so(render: Render) -> None:
    rendered = render({})
    assert of_kind(rendered, "HorizontalPodAutoscaler") == []
    assert named(rendered, "Deployment", "archway-proxy")["spec"]["replicas"] == 2


def test_metrics_of_ones_own_stand_beside_the_cpu_or_in_its_place(render: Render) -> None:
    metrics = {
        way: of_kind(render(MATRIX[way]), "HorizontalPodAutoscaler")[0]["spec"]["metrics"]
        for way in ("autoscaled", "autoscaled by calls alone")
    }
    assert metrics == {"autoscaled": [CPU, QUEUE], "autoscaled by calls alone": [QUEUE]}


def test_proxies_come_at_once_and_go_one_by_one_since_streams_go_with_them(render: Render) -> None:
    values = {"proxy": {"autoscaling": {"enabled": True, "secondsBetweenScaleDowns": 900}}}
    behavior = of_kind(render(values), "HorizontalPodAutoscaler")[0]["spec"]["behavior"]
    assert behavior["scaleDown"] == {
        "stabilizationWindowSeconds": 900,
        "selectPolicy": "Max",
        "policies": [{"type": "Pods", "value": 1, "periodSeconds": 900}],
    }
    assert behavior["scaleUp"]["stabilizationWindowSeconds"] == 0
