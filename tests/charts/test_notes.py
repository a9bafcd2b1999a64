"""What Helm says after an installation: the next commands, for the way in that was chosen."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import pytest

from tests.charts.matrix import MATRIX
from tests.charts.rendering import CHART, texts_of


def notes(helm: ModuleType, values: dict[str, Any]) -> str:
    with helm.Chart.load(CHART) as chart:
        return texts_of(chart, values)["archway/templates/NOTES.txt"]


@pytest.mark.parametrize(
    ("way", "said"),
    [
        ("default", "kubectl -n platform port-forward service/archway-proxy 8400:8400"),
        ("default", "Nobody may read the metrics"),
        ("default", "kubectl -n platform logs job/archway-migrate-expand"),
        ("tables brought up to date by control", "Control brings the tables up to date at its start."),
        ("ingress of AWS", "kubectl -n platform get ingress archway"),
        ("ingress of AWS", "ARCHWAY_TRUSTED_PROXIES is not set"),
        ("route of the Gateway API", "kubectl -n platform get httproute archway"),
        ("load balancer", "kubectl -n platform get service archway-proxy"),
        ("upgrade without a way back", "Take migrations.contract out of the values."),
        ("two namespaces of servers", "are in tools-a, tools-b."),
    ],
)
def test_the_notes_say_what_whoever_installed_has_to_know_or_do(way: str, said: str, helm: ModuleType) -> None:
    assert said in notes(helm, MATRIX[way])


def test_the_notes_say_nothing_that_does_not_hold(helm: ModuleType) -> None:
    said = notes(helm, MATRIX["ingress with TLS"])
    assert "ARCHWAY_TRUSTED_PROXIES" not in said
    assert "No way in was made" not in said
    assert "Nobody may read" not in notes(helm, MATRIX["monitored"])
