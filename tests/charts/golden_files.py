"""The golden files of the chart: all objects of two releases, so that a change of a template is read before it lands.

`python -m tests.charts.golden_files` writes them again, with the extra `charts` installed.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.charts.matrix import MATRIX
from tests.charts.rendering import CHART, objects_in, texts_of
from tests.kube.golden_files import dumped

FOLDER = Path(__file__).parent / "golden"
WAYS = {"release-by-default.yaml": "default", "release-with-everything.yaml": "everything at once"}


def golden_text(objects: list[dict[str, Any]]) -> str:
    """What the file of these objects should hold, but for the rules of alerts, which stand in a file already."""
    return dumped([one for one in objects if one["kind"] != "PrometheusRule"])


def main() -> None:
    import helm_python

    with helm_python.Chart.load(CHART) as chart:
        for file, way in WAYS.items():
            (FOLDER / file).write_text(golden_text(objects_in(texts_of(chart, MATRIX[way]))))


if __name__ == "__main__":
    main()
