"""What is applied for a server is what its golden file says, to the byte: what differs is a restart, or may be."""

from __future__ import annotations

import pytest

from tests.kube.egress_cases import CLUSTERS, MODES
from tests.kube.golden_files import FOLDER, POLICIES, golden_policies, golden_text
from tests.kube.wanted_servers import GOLDEN


@pytest.mark.parametrize("name", GOLDEN)
def test_the_objects_of_a_server_are_as_they_were(name: str) -> None:
    assert golden_text(name) == (FOLDER / f"{name}.yaml").read_text(), "`python -m tests.kube.golden_files` writes it"


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("cluster", CLUSTERS)
def test_the_policies_of_a_server_are_as_they_were(cluster: str, mode: str) -> None:
    assert golden_policies(cluster, mode) == (POLICIES / f"{cluster}_{mode}.yaml").read_text()


def test_no_golden_file_is_left_over() -> None:
    assert {path.stem for path in FOLDER.glob("*.yaml")} == set(GOLDEN)
    assert {path.stem for path in POLICIES.iterdir()} == {
        f"{cluster}_{mode}" for cluster in CLUSTERS for mode in MODES
    }
