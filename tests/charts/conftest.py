"""The chart, rendered by Helm itself in this process: no cluster, no network, no program of Helm's.

The package that does it comes with the extra `charts`, which `make charts` installs; so it is imported here alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import pytest

from tests.charts.matrix import MATRIX
from tests.charts.rendering import CHART, objects_in, texts_of

KubernetesObject = dict[str, Any]
Render = Callable[..., list[KubernetesObject]]


@pytest.fixture(scope="session")
def helm() -> ModuleType:
    """Helm, as a package."""
    import helm_python

    return helm_python


@pytest.fixture(scope="session")
def render(helm: ModuleType) -> Iterator[Render]:
    """The objects of a release with these values, over those that are needed."""
    with helm.Chart.load(CHART) as chart:

        def rendered(values: dict[str, Any], *, name: str = "archway") -> list[KubernetesObject]:
            return objects_in(texts_of(chart, values, name=name))

        yield rendered


@pytest.fixture(scope="session", params=MATRIX.values(), ids=MATRIX.keys())
def objects(render: Render, request: pytest.FixtureRequest) -> list[KubernetesObject]:
    """The objects of each way in which the chart is installed, one after another."""
    return render(request.param)
