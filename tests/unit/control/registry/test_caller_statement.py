"""What an entry may ask to be told of its server's callers, and in which headers."""

from __future__ import annotations

from typing import Any

import pytest

from control.credentials.dispatch import check
from control.registry.broken_rule import BrokenRule
from control.registry.caller_statement import CallerStatement, names_of
from control.registry.credential import StaticCredential
from control.registry.entry_rules import check_entry
from control.registry.fields import Field
from control.registry.self_hosted import SelfHosted
from core.egress.addresses import ANYWHERE
from tests.fakes.registry import BEARER, a_wanted_entry


def saved(statement: CallerStatement, **changes: Any) -> CallerStatement | None:
    wanted = a_wanted_entry(caller_statement=statement, **changes)
    return check_entry(wanted, check(wanted.credential, ANYWHERE), ANYWHERE).entry.caller_statement


def why_not(statement: CallerStatement, **changes: Any) -> tuple[str, str]:
    with pytest.raises(BrokenRule) as broken:
        saved(statement, **changes)
    return broken.value.field, str(broken.value)


def test_a_statement_stands_in_the_header_that_is_named_or_in_ours() -> None:
    assert saved(CallerStatement()) == CallerStatement(header="x-archway-caller")
    found = saved(CallerStatement(header="X-Who", tells=("email", "email"), request_id_header="X-Request-Id"))
    assert found == CallerStatement(header="x-who", tells=("email",), request_id_header="x-request-id")
    assert names_of(found) == ("x-who", "x-request-id")


def test_plain_headers_are_named_one_by_one_and_servers_behind_proxies_know_four() -> None:
    wanted = {"subject": "X-Archway-Subject", "email": "X-Forwarded-Email"}
    found = saved(CallerStatement(form="headers", headers=wanted))  # type: ignore[arg-type]
    told = {"subject": "x-archway-subject", "email": "x-forwarded-email"}
    assert found == CallerStatement(form="headers", headers=told)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "name", ["x_who", "host", "mcp-session-id", "traceparent", "x-forwarded-for", "x who", "a:b", ""]
)
def test_a_name_that_is_not_the_entry_s_to_send_is_refused(name: str) -> None:
    assert why_not(CallerStatement(header=name))[0] == "caller_statement.header"
    plain = CallerStatement(form="headers", headers={"email": name})
    assert why_not(plain)[0] == "caller_statement.headers.email"


@pytest.mark.parametrize(
    ("header", "changes"),
    [
        ("authorization", {"credential": BEARER}),
        ("x-api-key", {"credential": StaticCredential("header", "x-api-key")}),
        ("x-tenant", {"fixed_headers": {"X-Tenant": "eu"}}),
        ("x-site", {"fields": (Field("site", "string", "x-site"),)}),
        ("x-site", {"fields": (Field("site", "string", "x.site"),)}),
    ],
)
def test_a_header_that_is_filled_already_or_looks_like_one_is_refused(header: str, changes: dict[str, Any]) -> None:
    assert why_not(CallerStatement(header=header), **changes)[0] == "caller_statement"


def test_two_of_its_headers_must_not_look_the_same() -> None:
    twice = CallerStatement(form="headers", headers={"email": "x-who", "name": "x.who"})
    assert "looks the same" in why_not(twice)[1]
    assert "looks the same" in why_not(CallerStatement(header="x-id", request_id_header="x.id"))[1]


def test_authorization_carries_a_statement_that_is_signed_and_nothing_plain() -> None:
    assert saved(CallerStatement(header="Authorization")) == CallerStatement(header="authorization")
    plain = CallerStatement(form="headers", headers={"subject": "Authorization"})
    assert why_not(plain)[0] == "caller_statement.headers.subject"


def test_a_session_that_all_share_is_refused_with_a_statement_and_told_the_cure() -> None:
    field, said = why_not(CallerStatement(), isolation="shared")
    assert field == "isolation"
    assert "'principal'" in said
    assert saved(CallerStatement(), isolation="client_session") is not None


def test_no_header_reaches_a_program_over_stdio() -> None:
    stdio = SelfHosted(transport="stdio", image="tools:1", command=("serve",))
    assert why_not(CallerStatement(), reached=stdio)[0] == "caller_statement"
    over_http = SelfHosted(transport="http", port=8080, image="tools:1", command=("serve",))
    assert saved(CallerStatement(), reached=over_http) is not None


@pytest.mark.parametrize("wrong", [CallerStatement(form="headers"), CallerStatement(headers={"email": "x-mail"})])
def test_headers_go_with_their_form_and_with_no_other(wrong: CallerStatement) -> None:
    assert why_not(wrong)[0] == "caller_statement.headers"


def test_the_identifier_of_a_request_may_be_all_that_is_told() -> None:
    alone = CallerStatement(form="headers", request_id_header="x-request-id")
    assert saved(alone) == alone
