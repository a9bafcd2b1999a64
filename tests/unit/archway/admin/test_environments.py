"""`archway environments probe` against a small admin API of our own: it waits for what is newer, and its status."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from typer.testing import CliRunner

from archway.all_commands import app

ID = "01890000-0000-7000-8000-000000000001"


def seen(state: str, probed_at: str | None) -> dict[str, Any]:
    return {"enforcement": [{"kind": "off", "state": state, "reason": "So it is.", "probed_at": probed_at}]}


class Api:
    """Knows one environment; each further look at it is told the next of `looks`."""

    def __init__(self) -> None:
        self.looks: list[dict[str, Any]] = []

    def pages(self, _: str, **__: object) -> Iterator[dict[str, Any]]:
        yield {"id": ID, "name": "Staging"}

    def post(self, path: str) -> dict[str, Any]:
        assert path == f"/environments/{ID}/probe"
        return self.looks.pop(0)

    def get(self, path: str) -> dict[str, Any]:
        assert path == f"/environments/{ID}"
        return self.looks.pop(0)


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> Api:
    api = Api()
    monkeypatch.setattr("archway.admin.environments.connect", lambda _: api)
    monkeypatch.setattr("time.sleep", lambda _: None)
    return api


def test_it_waits_for_the_probe_that_was_asked_for(api: Api) -> None:
    api.looks = [
        seen("not_enforced", "2026-01-01"),
        seen("not_enforced", "2026-01-01"),
        seen("enforced", "2026-01-02"),
    ]
    told = CliRunner().invoke(app, ["environments", "probe", "Staging"])
    assert (told.exit_code, api.looks) == (0, [])
    assert "enforced" in told.stdout


def test_it_ends_with_1_where_something_is_not_enforced_or_not_known(api: Api) -> None:
    api.looks = [seen("unknown", None), seen("not_enforced", "2026-01-02")]
    assert CliRunner().invoke(app, ["environments", "probe", "Staging"]).exit_code == 1
