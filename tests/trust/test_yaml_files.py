"""K-2: YAML that somebody gives to the command line makes no object, grows to nothing, and means one thing.

Each is refused by the name of the file, the line and what to write instead, before anything is sent.
"""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from archway.all_commands import app

BEGIN = "slug: time\n"
CALL = "name: !!python/object/apply:os.system [touch {}]"
BOMB = "a: &a [x, x]\n" + "".join(f"{b}: &{b} [*{a}, *{a}, *{a}]\n" for a, b in pairwise("abcdefghi"))
REFUSED = [
    pytest.param(BEGIN + CALL, "line 2: ", "is a tag; leave it out", id="K-2: !!python/object"),
    pytest.param(BEGIN + BOMB, "line 2: ", "write the value out in each place", id="K-2: alias bomb"),
    pytest.param(BEGIN + "name: a\nslug: other", "line 3: ", "leave one of the two", id="K-2: duplicate keys"),
    pytest.param(BEGIN + "---\nslug: other", "line 2: ", "in a file of its own", id="K-2: many documents"),
    pytest.param(BEGIN + "# " + "x" * (10 << 20), "is larger than ", "YAML may have 64 KiB", id="K-2: 10 MiB"),
    pytest.param(BEGIN + "passthrough: no", "line 2: ", "write false, or 'no' in quotes", id="K-2: yes/no"),
    pytest.param(BEGIN + "deadline_s: 010", "line 2: ", "write '010' in quotes", id="K-2: octal"),
]


class Api:
    """An admin API that has one entry, and is to be asked for no change."""

    def pages(self, path: str, **query: Any) -> list[dict[str, Any]]:
        return [{"id": "0193a1b2-0000-7000-8000-000000000001", "slug": "time", "name": "Time"}]

    def read(self, path: str) -> tuple[dict[str, Any], str]:
        return self.pages(path)[0], '"1"'

    def post(self, path: str, body: object = None) -> None:
        pytest.fail("something was sent")

    def patch(self, path: str, body: object, version: str = "") -> None:
        pytest.fail("something was sent")


@pytest.mark.parametrize("words", [("create",), ("update", "time")], ids=["create", "update"])
@pytest.mark.parametrize(("text", "place", "cure"), REFUSED)
def test_yaml_that_is_more_than_values_is_refused_before_anything_is_sent(
    text: str, place: str, cure: str, words: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("archway.admin.commands.connect", lambda _: Api())
    file, made = tmp_path / "entry.yaml", tmp_path / "made"
    file.write_text(text.replace("{}", str(made)))

    done = CliRunner().invoke(app, ["entries", *words, "--body", str(file)])

    assert done.exit_code == 1
    assert f"--body {file}: {place}" in done.stderr
    assert cure in done.stderr
    assert len(done.stderr) < 1_000
    assert not made.exists()
