"""`archway entries override`: what would run is shown, what is refused ends the command, nothing is saved."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from archway.all_commands import app

FOUND = {"deployment": "kind: Deployment", "differences": "+ disk: ssd", "refused": []}
FAULTS = [
    {"path": "spec.replicas", "sentence": "is ours", "line": 2},
    {"path": "", "sentence": "holds nothing", "line": None},
]


class Api:
    """An admin API that has one entry."""

    def __init__(self, found: dict[str, Any]) -> None:
        self.found, self.sent = found, list[tuple[str, Any]]()

    def pages(self, path: str, **query: Any) -> list[dict[str, Any]]:
        return [{"id": "0193a1b2-0000-7000-8000-000000000001", "slug": "files", "name": "Files"}]

    def post(self, path: str, body: Any = None) -> dict[str, Any]:
        self.sent.append((path, body))
        return self.found


def run(monkeypatch: pytest.MonkeyPatch, found: dict[str, Any], *words: str) -> tuple[Any, Api]:
    api = Api(found)
    monkeypatch.setattr("archway.admin.entry_override.connect", lambda _: api)
    return CliRunner().invoke(app, ["entries", "override", "files", *words]), api


def test_what_differs_is_shown(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (file := tmp_path / "o.yaml").write_text("spec: {}")
    done, api = run(monkeypatch, FOUND, "--file", str(file))
    assert (done.exit_code, done.stdout) == (0, "+ disk: ssd\n")
    assert api.sent == [("/entries/0193a1b2-0000-7000-8000-000000000001/override/preview", {"override": "spec: {}"})]


def test_without_a_file_the_saved_one_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    done, api = run(monkeypatch, {**FOUND, "differences": ""})
    assert done.stdout == "The override changes nothing.\n"
    assert api.sent[0][1] == {"override": None}


def test_all_that_is_refused_is_told_with_its_line(monkeypatch: pytest.MonkeyPatch) -> None:
    done, _ = run(monkeypatch, {**FOUND, "refused": FAULTS})
    assert done.exit_code == 1
    assert "line 2: spec.replicas is ours\nholds nothing" in done.stderr


def test_programs_get_it_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    done, _ = run(monkeypatch, {**FOUND, "refused": FAULTS}, "--json")
    assert (done.exit_code, '"spec.replicas"' in done.stdout) == (0, True)
