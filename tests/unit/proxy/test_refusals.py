from __future__ import annotations

import ast
import string
from pathlib import Path
from typing import get_args

import pytest

from proxy.limits.running_calls import CutOff
from proxy.refusals import CALL_REFUSED, TABLE, Reason, Refusal, RefusedAs

ROOT = Path(__file__).parents[3]
FROM_CONTROL = {
    "not_allowed",
    "credential_missing",
    "credential_ambiguous",
    "installation_gone",
    "needs_sign_in",
    "provider_away",
    "server_starting",
    "server_failed",
}
"""Words that an answer of control brings (`core.resolve.InstallationRefusal`)."""
BY_TABLE = {reason for reason in TABLE if reason.startswith("upstream_")} | {
    "quarantined",
    "held_back",
    "only_as_task",
    *get_args(CutOff),
    "cancelled",
}
"""Words that another table, the snapshot's rules or the end of a running call bring."""


def raised() -> dict[str, set[str]]:
    """By reason: the words that some `Refusal("reason", word=...)` in the proxy gives it."""
    found: dict[str, set[str]] = {}
    for path in (ROOT / "proxy").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Refusal":
                for reason in reasons_in(node.args[0]):
                    found.setdefault(reason, set()).update(keyword.arg or "" for keyword in node.keywords)
    return found


def reasons_in(argument: ast.expr) -> list[str]:
    if isinstance(argument, ast.IfExp):
        return reasons_in(argument.body) + reasons_in(argument.orelse)
    return [argument.value] if isinstance(argument, ast.Constant) and isinstance(argument.value, str) else []


def test_every_reason_that_is_raised_has_a_row_and_every_row_is_raised() -> None:
    assert set(raised()) <= set(TABLE)
    assert set(TABLE) - set(raised()) - FROM_CONTROL - BY_TABLE == set()


def test_who_raises_gives_the_words_that_the_sentence_needs() -> None:
    missing = {}
    for reason, given in raised().items():
        needed = {
            name.partition(":")[0] for _, name, _, _ in string.Formatter().parse(TABLE[reason].sentence) if name
        }
        if reason not in BY_TABLE and not needed <= given:
            missing[reason] = needed - given
    assert missing == {}


@pytest.mark.parametrize(("reason", "row"), TABLE.items(), ids=TABLE)
def test_a_row_is_whole(reason: str, row: Reason) -> None:
    assert row.sentence
    if row.kind == "http":
        assert 400 <= row.status < 600
        assert row.code == -32600 or row.code == -31000 - row.status, "our own codes stay out of the reserved range"
    elif row.kind == "call":
        assert (row.status, row.code) == (200, CALL_REFUSED)


@pytest.mark.parametrize(
    ("reason", "refused_as", "result"),
    [
        ("busy", "result", True),
        ("busy", "error", False),
        ("busy", None, False),
        ("tool_unknown", "result", False),
        ("overloaded", "result", False),
    ],
)
def test_only_a_call_whose_method_has_such_results_is_refused_with_one(
    reason: str, refused_as: RefusedAs | None, result: bool
) -> None:
    assert TABLE[reason].is_result(refused_as) is result


def test_what_went_wrong_beyond_us_is_not_our_decision() -> None:
    beyond = {reason for reason, row in TABLE.items() if not row.decided_by_us}
    upstream = {reason for reason in TABLE if reason.startswith("upstream_")}
    ours = {"upstream_forbidden", "upstream_egress"}
    assert beyond == upstream - ours | {"cancelled", "question_gone", "server_restarting"}


def test_a_refusal_fills_its_sentence_and_keeps_its_detail_short() -> None:
    refusal = Refusal("body_too_large", limit=7, detail="x" * 1000)
    assert refusal.sentence == "The request body is larger than 7 bytes."
    assert len(refusal.detail) == 256
    assert str(refusal) == "body_too_large"
