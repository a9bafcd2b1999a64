"""What a server is told of one caller: the claims, the plain headers, and what is left out."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import unquote

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from control.credentials.resolution import ResolutionRows
from control.credentials.statement import MOST_TEAMS, CallerStatements, Facts, facts_of, plain_headers
from control.registry.caller_statement import CallerStatement
from control.registry.entry import Entry
from control.registry.self_hosted import SelfHosted
from core.caller_statements import LIFE_S, StatementSigner
from core.keys import new_key, parse_key_ring
from core.resolve import Principal, ResolvedInstallation
from core.snapshot import Visibility
from tests.fakes.registry import an_entry

NOW = 1_800_000_000.0
STATEMENTS = CallerStatements(StatementSigner(parse_key_ring("K", new_key()), "https://archway.test"), lambda: NOW)
ANNA = Facts("user:1", "anna@corp.test", "Anna", ("Sales", "Eng"), "sales", "find")
EVERYTHING = CallerStatement(tells=("email", "name", "teams", "gateway", "tool"))


def resolved(**changes: Any) -> ResolvedInstallation:
    usual: dict[str, Any] = {
        "installation_id": "i1", "entry_id": "e1", "entry": "github", "owner": "organisation", "kind": "remote",
        "url": "https://GitHub.test:443/mcp/", "version": 1, "credential_headers": [("authorization", "Bearer k")],
    }  # fmt: skip
    return ResolvedInstallation(**usual | changes)


def telling(wanted: CallerStatement, **changes: Any) -> Entry:
    return an_entry(caller_statement=wanted, **changes)


def claims_in(found: ResolvedInstallation) -> dict[str, Any]:
    ((_, statement),) = found.statement_headers
    claims: dict[str, Any] = jwt.decode(statement, options={"verify_signature": False})
    return {name: said for name, said in claims.items() if name not in {"iss", "iat", "exp"}}


def test_the_claims_are_what_the_admin_chose_for_the_origin_of_the_server() -> None:
    found = STATEMENTS.told(telling(EVERYTHING), resolved(), ANNA)
    assert claims_in(found) == {
        "aud": "https://github.test", "sub": "user:1", "email": "anna@corp.test", "name": "Anna",
        "teams": ["Eng", "Sales"], "gateway": "sales", "tool": "find",
    }  # fmt: skip
    assert claims_in(STATEMENTS.told(telling(CallerStatement()), resolved(), ANNA)).keys() == {"aud", "sub"}


def test_of_what_a_caller_has_not_nothing_is_said() -> None:
    team = Facts("team:7", teams=("Sales",))
    assert claims_in(STATEMENTS.told(telling(EVERYTHING), resolved(), team)).keys() == {"aud", "sub", "teams"}
    plain = CallerStatement(form="headers", headers={"subject": "x-user", "email": "x-mail"})
    found = STATEMENTS.told(telling(plain), resolved(), team)
    assert "x-mail" not in found.own_headers
    assert found.own_headers["x-user"] == "team:7"
    assert "x-mail" in found.not_passed


def test_an_installation_with_a_statement_ends_with_it_and_is_one_caller_s() -> None:
    found = STATEMENTS.told(telling(CallerStatement()), resolved(), ANNA)
    assert LIFE_S / 2 < found.expires_at - NOW <= LIFE_S
    assert found.made_for == "user:1"
    assert STATEMENTS.told(telling(CallerStatement()), resolved(expires_at=NOW + 9), ANNA).expires_at == NOW + 9
    other = STATEMENTS.told(telling(CallerStatement()), resolved(), Facts("user:2"))
    assert found.shared_by != other.shared_by
    assert found.credential_headers == other.credential_headers == [("authorization", "Bearer k")]


def test_plain_headers_do_not_end_and_are_one_caller_s_too() -> None:
    plain = CallerStatement(form="headers", headers={"subject": "x-user"}, request_id_header="x-request-id")
    found = STATEMENTS.told(telling(plain), resolved(), ANNA)
    assert (found.expires_at, found.made_for, found.request_id_header) == (0, "user:1", "x-request-id")
    assert found.not_passed == {"x-user", "x-request-id"}


def test_an_entry_that_asks_for_nothing_is_told_nothing() -> None:
    assert STATEMENTS.told(an_entry(), resolved(), ANNA) == resolved()


def test_where_nobody_calls_archway_speaks_of_itself() -> None:
    assert claims_in(STATEMENTS.told(telling(EVERYTHING), resolved(), None))["sub"] == "archway"


def test_a_statement_in_authorization_is_a_bearer_s() -> None:
    wanted = CallerStatement(header="authorization")
    found = STATEMENTS.told(telling(wanted), resolved(credential_headers=[]), ANNA)
    assert found.own_headers["authorization"].startswith("Bearer ey")


def test_a_server_that_archway_runs_is_known_by_its_slug_since_nobody_chose_its_address() -> None:
    ours = telling(CallerStatement(), reached=SelfHosted(transport="http", port=8080, image="crm:1"))
    found = STATEMENTS.told(ours, resolved(kind="process", url="http://127.0.0.1:41234/mcp"), ANNA)
    assert claims_in(found)["aud"] == "archway:github"


def test_of_very_many_teams_the_first_are_told() -> None:
    found = STATEMENTS.told(
        telling(EVERYTHING), resolved(), Facts("user:1", teams=tuple(f"t{n:03}" for n in range(200)))
    )
    assert claims_in(found)["teams"] == [f"t{n:03}" for n in range(MOST_TEAMS)]


def test_the_facts_of_a_caller_are_those_that_were_read_for_the_call() -> None:
    names = {"t1": "Sales", "t2": "Others"}
    rows = ResolutionRows(
        Visibility("organisation"), an_entry(), None, [], names, {}, "sales", "find", "anna@corp.test"
    )
    anna = Principal("user", "1", "Anna", frozenset({"t1", "gone"}))
    assert facts_of(anna, rows) == Facts("user:1", "anna@corp.test", "Anna", ("Sales",), "sales", "find")


@pytest.mark.parametrize("said", ["Anna Bô", "a,b", "100%", "\r\nx-admin: yes", "", " ", "\ud800"])
def test_what_is_no_plain_ascii_is_percent_encoded(said: str) -> None:
    wanted = CallerStatement(form="headers", headers={"name": "x-name"})
    ((_, value),) = plain_headers(wanted, Facts("user:1", name=said))
    assert re.fullmatch(r"[!-~]*", value)
    assert unquote(value) == said.replace("\ud800", "?")


@given(st.text(), st.lists(st.text(min_size=1)))
def test_no_name_or_team_ends_a_line_begins_a_header_or_adds_a_team(name: str, teams: list[str]) -> None:
    wanted = CallerStatement(form="headers", headers={"name": "x-name", "teams": "x-teams"})
    values = dict(plain_headers(wanted, Facts("user:1", name=name, teams=tuple(teams))))
    assert all(re.fullmatch(r"[!-~]*", value) for value in values.values())
    told = values["x-teams"].split(",") if values["x-teams"] else []
    assert len(told) == min(len(teams), MOST_TEAMS)
