"""The alerts and the dashboard ask for series that there are, and each alert has its part of the page."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from tests.charts.conftest import Render
from tests.charts.matrix import MATRIX
from tests.charts.objects import container_of, named, of_kind, settings_of
from tests.charts.promql import counted_in, names_in, wrong_with
from tests.charts.registry import registry
from tests.charts.rendering import CHART, NAMESPACE
from tests.house.tracked import ROOT

ALERTS: dict[str, dict[str, Any]] = {
    rule["alert"]: rule
    for group in yaml.safe_load((CHART / "files" / "alerts.yaml").read_text())["groups"]
    for rule in group["rules"]
}
DASHBOARD: dict[str, Any] = json.loads((ROOT / "deploy" / "grafana" / "archway.json").read_text())
PAGE = "docs/operating/alerts.md"


def shown() -> Iterator[tuple[str, str]]:
    """Panel and expression; what Grafana puts in place of `$__rate_interval` is a duration."""
    for panel in DASHBOARD["panels"]:
        for target in panel.get("targets", ()):
            yield panel["title"], target["expr"].replace("$__rate_interval", "5m")


@pytest.mark.parametrize("alert", ALERTS)
def test_an_alert_asks_for_series_that_there_are(alert: str) -> None:
    assert wrong_with(ALERTS[alert]["expr"], registry()) == []


@pytest.mark.parametrize(("panel", "expression"), [*shown()])
def test_a_panel_asks_for_series_that_there_are(panel: str, expression: str) -> None:
    assert wrong_with(expression, registry()) == [], panel


@pytest.mark.parametrize(
    ("expression", "said"),
    [
        ("sum(archway_call_total)", "archway_call_total is told by nobody"),
        ('archway_calls_total{tools="a"}', "archway_calls_total has no label tools"),
        ('archway_refusals_total{reason="busi"}', "reason of archway_refusals_total is never busi"),
        ('archway_servers{phase=~"failed|broken"}', "phase of archway_servers is never failed|broken"),
        ('archway_call_duration_seconds_bucket{le="3"}', "le of archway_call_duration_seconds_bucket is never 3"),
        (
            'archway_call_duration_seconds_bucket{le="10"}',
            "le of archway_call_duration_seconds_bucket is 10 in one version of Prometheus alone",
        ),
        ("rate(archway_streams_open[5m])", "rate of archway_streams_open, which is no counter"),
        ("sum by (server) (rate(archway_records_total[5m]))", "by server, which nothing in it has"),
        ("sum by (pod) (archway_streams_open)", ""),
        ("sum(rate(archway_records_total[5m])", "unclosed left parenthesis"),
    ],
)
def test_what_would_never_be_found_is_seen(expression: str, said: str) -> None:
    complaints = wrong_with(expression, registry())
    assert bool(complaints) is bool(said)
    assert all(one.startswith(said) for one in complaints)


@pytest.mark.parametrize("alert", ALERTS)
def test_an_alert_on_single_events_sees_the_first_of_a_series_too(alert: str) -> None:
    """A series that begins with its first event has no increase by it; one of known labels begins at 0."""
    expression, known = ALERTS[alert]["expr"], registry()
    late = {name for name in counted_in(expression) if not all(known[name].labels.values())}
    assert late <= names_in(expression, earlier=True)


def test_no_alert_waits_for_what_a_probe_cannot_show_outside_of_clouds() -> None:
    assert 'kind!="all"' in ALERTS["ArchwayEgressUnknown"]["expr"]


def test_each_alert_has_a_part_of_the_page_and_no_part_is_of_none() -> None:
    headings = re.findall(r"^### `?(\w+)`?$", (ROOT / PAGE).read_text(), re.MULTILINE)
    assert headings == list(ALERTS)
    for name, rule in ALERTS.items():
        assert rule["annotations"]["runbook_url"] == f"{PAGE}#{name.lower()}"
        assert rule["labels"]["severity"] in {"warning", "critical"}
        assert rule["annotations"]["summary"].endswith(".")


def test_panels_are_told_apart_and_take_the_chosen_source() -> None:
    panels = DASHBOARD["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    sources = {panel["datasource"]["uid"] for panel in panels if panel["type"] != "row"}
    assert sources == {"${datasource}"}
    variables = {one["name"] for one in DASHBOARD["templating"]["list"]}
    used = {name for _, expression in shown() for name in re.findall(r"\$(\w+)", expression)}
    assert used <= variables


def test_the_rules_of_a_release_are_those_of_the_file_for_its_own_series_with_pages_of_the_values(
    render: Render,
) -> None:
    rendered = render({**MATRIX["monitored"], "monitoring": {"enabled": True, "runbooks": "https://wiki/alerts"}})
    (made,) = of_kind(rendered, "PrometheusRule")
    rules = {rule["alert"]: rule for group in made["spec"]["groups"] for rule in group["rules"]}
    assert rules.keys() == ALERTS.keys()
    for name, rule in rules.items():
        assert wrong_with(rule["expr"], registry()) == []
        of_release = re.sub(r'{namespace="platform"}|namespace="platform",', "", rule["expr"])
        assert of_release == ALERTS[name]["expr"]
        assert len(re.findall('namespace="platform"', rule["expr"])) == len(re.findall("archway_", rule["expr"]))
        assert rule["labels"] == {"namespace": NAMESPACE, **ALERTS[name]["labels"]}
        assert rule["annotations"]["runbook_url"] == f"https://wiki/alerts#{name.lower()}"


def test_prometheus_finds_the_metrics_of_both_planes_where_they_are_told(render: Render) -> None:
    rendered = render(MATRIX["monitored"])
    (monitor,) = of_kind(rendered, "PodMonitor")
    (endpoint,) = monitor["spec"]["podMetricsEndpoints"]
    ports = {
        plane: {port["name"]: port["containerPort"] for port in container_of(rendered, plane)["ports"]}
        for plane in ("control", "proxy")
    }
    assert ports["proxy"][endpoint["port"]] == 9400
    listens = settings_of(rendered, "control")["ARCHWAY_CONTROL_METRICS_LISTEN"]
    assert listens == f"0.0.0.0:{ports['control'][endpoint['port']]}"
    assert monitor["metadata"]["labels"]["release"] == "prometheus"
    (expression,) = monitor["spec"]["selector"]["matchExpressions"]
    for plane in ports:
        labels = named(rendered, "Deployment", f"archway-{plane}")["spec"]["template"]["metadata"]["labels"]
        assert monitor["spec"]["selector"]["matchLabels"].items() <= labels.items()
        assert labels[expression["key"]] in expression["values"]
