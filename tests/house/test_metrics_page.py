"""The page of metrics has a row for each metric of a worker, the supervisor and control, with its kind and labels."""

from __future__ import annotations

import ast
import re

from archway.supervisor.metrics_listener import _own
from control.telemetry.metrics import METRICS as OF_CONTROL
from proxy.refusals import TABLE
from proxy.telemetry.exposition import render
from proxy.telemetry.metrics import METRICS, OF_THE_SUPERVISOR, STATUSES
from tests.house.tracked import ROOT

PAGE = (ROOT / "docs" / "operating" / "metrics.md").read_text()
ROW = re.compile(r"^\| `(archway_\w+)` \| (\w+) \| ([^|]+) \| ([^|]+) \| [^|]+ \|$", re.MULTILINE)
SHOWN_AS = {"oldest": "gauge", "least": "gauge"}


def of_the_supervisor() -> list[tuple[str, str]]:
    text = (render([]) + _own(1)).decode()
    return re.findall(r"^# TYPE (\w+) (\w+)$", text, re.MULTILINE)


def test_the_page_has_every_metric_with_its_kind_and_labels() -> None:
    told = {name: (kind, labels.strip()) for name, kind, labels, _ in ROW.findall(PAGE)}
    made = {
        metric.name: (
            SHOWN_AS.get(metric.kind, metric.kind),
            ", ".join(f"`{one}`" for one in metric.labels) or "none",
        )
        for metric in (*METRICS, *OF_THE_SUPERVISOR)
    } | {
        metric.name: (metric.kind, ", ".join(f"`{one}`" for one in metric.labels) or "none") for metric in OF_CONTROL
    }
    assert told == made
    assert len(ROW.findall(PAGE)) == len(told)


def test_the_supervisor_tells_what_the_table_has_of_it_and_no_more() -> None:
    assert of_the_supervisor() == [(metric.name, metric.kind) for metric in OF_THE_SUPERVISOR]


def test_a_name_stands_in_the_table_alone_so_that_a_misspelt_one_is_seen_at_import() -> None:
    files = [*(ROOT / "proxy").rglob("*.py"), *(ROOT / "archway" / "supervisor").rglob("*.py")]
    spelt = {
        f"{file.relative_to(ROOT)}: {node.value}"
        for file in files
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.startswith("archway_")
    }
    assert spelt <= {"proxy/telemetry/metrics.py: archway_"}


def test_the_words_of_a_label_are_on_the_page() -> None:
    says = {name: meaning for name, _, _, meaning in ROW.findall(PAGE)}
    for metric in METRICS:
        words = {value for values in metric.values for value in values} - set(TABLE)
        assert not {word for word in words if f"`{word}`" not in PAGE}, metric.name
    for of_control in OF_CONTROL:
        assert not {word for word in of_control.values if f"`{word}`" not in says[of_control.name]}
    assert not {word for word in STATUSES - set(TABLE) if f"`{word}`" not in says["archway_calls_total"]}
