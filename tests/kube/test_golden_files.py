"""What is applied for a server is what its golden file says, to the byte: what differs is a restart, or may be."""

from __future__ import annotations

import pytest

from tests.kube.golden_files import FOLDER, golden_text
from tests.kube.wanted_servers import GOLDEN


@pytest.mark.parametrize("name", GOLDEN)
def test_the_objects_of_a_server_are_as_they_were(name: str) -> None:
    assert golden_text(name) == (FOLDER / f"{name}.yaml").read_text(), "`python -m tests.kube.golden_files` writes it"


def test_no_golden_file_is_left_over() -> None:
    assert {path.stem for path in FOLDER.iterdir()} == set(GOLDEN)
