"""Where the chart is, and how it is rendered: with values over those that are needed."""

from __future__ import annotations

from typing import Any

import yaml

from tests.charts.matrix import NEEDED
from tests.house.tracked import ROOT

CHART = ROOT / "deploy" / "helm" / "archway"
NAMESPACE = "platform"


def texts_of(chart: Any, values: dict[str, Any], *, name: str = "archway") -> dict[str, str]:
    """Template to what Helm makes of it; `chart` is one of the package's."""
    servers = {**NEEDED["servers"], **values.get("servers", {})}
    made: dict[str, str] = chart.render({**NEEDED, **values, "servers": servers}, name=name, namespace=NAMESPACE)
    return made


def objects_in(texts: dict[str, str]) -> list[dict[str, Any]]:
    """All objects, in the order of their templates' names."""
    documents = (yaml.safe_load_all(texts[path]) for path in sorted(texts) if path.endswith(".yaml"))
    return [one for several in documents for one in several if one]
