"""What a release is made of is what its golden file says."""

from __future__ import annotations

import pytest

from tests.charts.conftest import Render
from tests.charts.golden_files import FOLDER, WAYS, golden_text
from tests.charts.matrix import MATRIX


@pytest.mark.parametrize("file", WAYS)
def test_the_objects_of_a_release_are_as_they_were(file: str, render: Render) -> None:
    said = golden_text(render(MATRIX[WAYS[file]]))
    assert said == (FOLDER / file).read_text(), "`python -m tests.charts.golden_files` writes it"
