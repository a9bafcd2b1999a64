"""`archway revoke` against a small admin API of our own: what it asks, what a person reads, and its status."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from typer.testing import CliRunner

from archway.all_commands import app

ID = "01890000-0000-7000-8000-000000000001"
JTI = "ab" * 16
SILENT = {"worker": "1-a", "host": "h", "process": 7, "heard_at": "2026-01-01T00:00:00Z"}


class Api:
    """Knows one of each; answers as the test says."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.answer: dict[str, Any] = {"announced": True, "applied": 3, "silent": [], "summary": "All three did."}

    def pages(self, path: str, **_: object) -> Iterator[dict[str, Any]]:
        known = {"/users": "email", "/tokens": "name", "/oauth-clients": "name", "/identity-providers": "slug"}
        yield {"id": ID, known[path]: "it"}

    def post(self, path: str, body: object = None) -> dict[str, Any]:
        assert body is None
        self.asked.append(path)
        kind, name = path.partition("?")[0].removeprefix("/revocations/").split("/")
        return {"kind": kind[:-1].replace("-", "_"), "id": name, **self.answer}


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> Api:
    api = Api()
    monkeypatch.setattr("archway.admin.revoke.connect", lambda _: api)
    return api


@pytest.mark.parametrize(
    ("words", "path"),
    [
        (["token", "it"], f"tokens/{ID}?wait=5"),
        (["client", "it", "--wait", "0"], f"clients/{ID}?wait=0"),
        (["grant", ID, "--wait", "1.5"], f"grants/{ID}?wait=1.5"),
        (["user", "it"], f"users/{ID}?wait=5"),
        (["session", ID], f"sessions/{ID}?wait=5"),
        (["session", JTI], f"client-sessions/{JTI}?wait=5"),
        (["provider", "it"], f"providers/{ID}?wait=5"),
    ],
)
def test_each_kind_is_named_as_people_name_it(api: Api, words: list[str], path: str) -> None:
    told = CliRunner().invoke(app, ["revoke", *words])
    assert (told.exit_code, api.asked) == (0, [f"/revocations/{path}"])
    assert told.stdout.endswith(": revoked\nAll three did.\n")


@pytest.mark.parametrize("answer", [{"announced": False}, {"silent": [SILENT]}])
def test_who_did_not_answer_is_told_on_standard_error_with_status_1(api: Api, answer: dict[str, Any]) -> None:
    api.answer |= {**answer, "summary": "No word from process 7 on h."}
    told = CliRunner().invoke(app, ["revoke", "token", "it"])
    assert (told.exit_code, told.stdout, told.stderr) == (
        1,
        f"token {ID}: revoked\n",
        "No word from process 7 on h.\n",
    )


def test_programs_get_the_answer_whole(api: Api) -> None:
    told = CliRunner().invoke(app, ["revoke", "token", "it", "--json"])
    assert told.exit_code == 0
    assert '"applied": 3' in told.stdout


@pytest.mark.parametrize("kind", ["token", "client", "grant", "user", "session", "provider"])
def test_help_shows_an_example(kind: str) -> None:
    assert f"archway revoke {kind} " in CliRunner().invoke(app, ["revoke", kind, "--help"]).stdout
