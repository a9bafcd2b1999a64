"""What would become of a call on the command line: in words, each check on its line, and the status of a refusal."""

from __future__ import annotations

from typing import Any, get_args

import pytest
import typer

from archway.admin import explain
from archway.admin.explain import in_words
from archway.admin_client import Problem
from control.credentials.whose import Uses
from core.explain import Outcome

STAGES = [
    {"stage": "authenticate", "outcome": "at_the_call", "why": "Whether it is revoked."},
    {"stage": "apply_policy", "outcome": "refuses", "why": "t was quarantined."},
    {"stage": "forward", "outcome": "not_reached", "why": ""},
]
REFUSED: dict[str, Any] = {
    "refused": True, "reason": "quarantined", "sentence": "t was quarantined.", "status": 200, "link": "",
    "cause": "Somebody did it.", "cure": "Undo it.", "stages": STAGES, "gateway_revision": 3, "tool": "t",
    "caller": {"principal": "user:1", "name": "Ada", "kind": "user_token", "later": "Whether it is revoked."},
    "serving": None, "server": None, "headers": [],
}  # fmt: skip
SERVED = REFUSED | {
    "refused": False, "reason": "", "sentence": "", "cause": "", "cure": "", "stages": STAGES[:1],
    "serving": {
        "id": "1", "name": "Ours", "entry": "crm", "scope": "team", "owner": "Sales", "credential": "static",
        "uses": "installation", "account": "", "asks_first": "",
    },
    "server": {
        "kind": "remote", "url": "https://crm.example/mcp", "era": "", "isolation": "principal", "deadline_s": 60.0,
        "calls_at_once": 8,
    },
    "headers": [{"name": "x-key", "of": "credential"}],
}  # fmt: skip


def test_a_refusal_is_told_first_with_its_cause_and_its_cure_then_each_check() -> None:
    first, checks = in_words(REFUSED).split("\n\n")
    assert first.splitlines() == [
        "who      Ada (user token)",
        "outcome  refused: quarantined",
        "told     t was quarantined.",
        "cause    Somebody did it.",
        "cure     Undo it.",
    ]
    lines = [line.split() for line in checks.splitlines()]
    assert lines[1][:5] == ["authenticate", "known", "at", "the", "call"]
    assert lines[2][:3] == ["apply", "policy", "REFUSES"]
    assert lines[3] == ["forward", "not", "reached"]
    assert "Whether it is revoked." in checks


def test_what_would_serve_is_told_after_the_checks() -> None:
    served = in_words(SERVED).split("\n\n")[2]
    assert "crm (remote) https://crm.example/mcp" in served
    assert "Ours of Sales" in served
    assert "what the installation holds" in served
    assert "x-key (credential)" in served
    assert "60 s" in served


def test_to_who_may_ask_about_themselves_alone_what_is_not_told_is_left_out() -> None:
    hidden = SERVED | {"server": dict.fromkeys(SERVED["server"]) | {"kind": "remote"}, "headers": []}
    assert "None" not in in_words(hidden)
    assert "crm (remote)" in in_words(hidden)


@pytest.mark.parametrize("word", get_args(Outcome))
def test_each_outcome_has_words(word: str) -> None:
    assert explain._WORDS[word]


@pytest.mark.parametrize("word", get_args(Uses))
def test_whatever_the_server_gets_has_words(word: str) -> None:
    assert explain._USES[word]


@pytest.mark.parametrize(("field", "option"), [("subject", "--as"), ("by", "--by"), ("client", "--client")])
def test_an_error_names_the_option_of_this_command(
    field: str, option: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refusing(_: object) -> object:
        raise Problem(
            422, "Unprocessable Entity", f"{field}: is wrong, with `by` too", [(field, "is wrong, with `by` too")]
        )

    monkeypatch.setattr(explain, "connect", refusing)
    with pytest.raises(typer.Exit):
        explain.explain(gateway="sales", tool="crm__find", output=None, as_json=False)
    assert f"{option}: is wrong, with `--by` too" in capsys.readouterr().err
