"""Fixtures of the contract of the Kubernetes API: `kube`, once the fake and once a real API server.

The real one is the one of the kubeconfig that `ARCHWAY_TEST_KUBECONFIG` names, with its current context; it needs the
right to make namespaces and all that a server of ours is made of in them.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.kube.cluster import Cluster, fake_cluster, real_cluster

VARIABLE = "ARCHWAY_TEST_KUBECONFIG"
NO_CLUSTER = f"no cluster here: {VARIABLE} names no kubeconfig"
NO_CONTROLLERS = "this API server has no controllers"
CONTROLLERS_WITHIN_SECONDS = 20.0


KUBECONFIG = os.environ.get(VARIABLE, "")
SKIPPED = [] if KUBECONFIG else [pytest.mark.skip(NO_CLUSTER)]
REAL = pytest.param("real", marks=[pytest.mark.cluster, *SKIPPED])


@pytest.fixture(params=["fake", REAL])
async def kube(request: pytest.FixtureRequest) -> AsyncIterator[Cluster]:
    async with real_cluster(Path(KUBECONFIG)) if request.param == "real" else fake_cluster() as cluster:
        yield cluster


@pytest.fixture
async def controlled(kube: Cluster) -> Cluster:
    """A cluster whose controllers run: one of them gives each new namespace a service account."""
    try:
        async with asyncio.timeout(CONTROLLERS_WITHIN_SECONDS):
            await kube.until(lambda: kube.get("serviceaccounts", "default"), lambda answer: answer.status == 200)
    except TimeoutError:
        pytest.skip(NO_CONTROLLERS)
    return kube
