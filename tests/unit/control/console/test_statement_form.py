"""What an entry's server is told of callers, as a form asks for it."""

from __future__ import annotations

import pytest
from msgspec import convert

from control.console.forms import Form
from control.console.statement_form import form_field, form_of_statement, statement_of_form
from control.registry.caller_statement import CallerStatement

STATEMENTS = (
    CallerStatement(),
    CallerStatement(header="x-who", tells=("subject", "email", "teams"), request_id_header="x-request-id"),
    CallerStatement(form="headers", headers={"subject": "x-user", "email": "x-mail"}),
    CallerStatement(form="headers", request_id_header="x-request-id"),
)


@pytest.mark.parametrize("kept", STATEMENTS)
def test_what_is_kept_comes_back_from_the_form(kept: CallerStatement) -> None:
    sent = statement_of_form(Form(form_of_statement(kept)))
    assert sent is not None
    assert convert(sent, CallerStatement) == kept


def test_nothing_that_is_told_is_nothing() -> None:
    assert statement_of_form(Form(form_of_statement(None))) is None
    assert statement_of_form(Form({})) is None


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("caller_statement", "statement-form"), ("caller_statement.headers", "statement-form"),
        ("caller_statement.header", "statement-header"),
        ("caller_statement.headers.email", "statement-headers-email"),
        ("caller_statement.request_id_header", "statement-request_id_header"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_at_its_field(path: str, field: str) -> None:
    assert form_field(path) == field
    assert field in form_of_statement(None)
