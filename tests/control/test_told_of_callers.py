"""What servers are told of callers, from the entry that a person saves to the answer that a proxy gets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import jwt
import pytest

from control.publish.documents import gateway_document
from control.store.pool import Pool, transaction
from core.resolve import InstallationAnswers, InstallationQuestion, InstallationQuestions, ResolvedInstallation
from core.snapshot import open_gateway
from tests.control import seeded
from tests.control.asking_proxy import SIGNER, STATEMENTS, VERIFIER, AskingProxy
from tests.control.registry_api import Api, api

__all__ = ["api"]
EVERYTHING = {"tells": ["email", "name", "teams", "gateway", "tool"], "request_id_header": "x-request-id"}
PLAIN = {"form": "headers", "headers": {"subject": "x-user", "email": "x-mail", "teams": "x-teams"}}


@dataclass
class Scene:
    """A tool that is pinned to the organisation's installation, and who calls it."""

    gateway_id: str
    assignment: str
    anna: str
    email: str
    """Hers."""
    tokens: dict[str, str]
    """Digests of a token of Anna's, of one of Ben's and of her team's."""


async def scene(pool: Pool, statement: dict[str, Any]) -> Scene:
    async with transaction(pool) as conn:
        anna, ben = await seeded.user(conn, "anna"), await seeded.user(conn, "ben")
        team = await seeded.team(conn, "Sales & Co", anna)
        entry_id = await seeded.entry(conn, caller_statement=statement)
        installation, gateway_id = await seeded.installation(conn, entry_id), await seeded.gateway(conn, "work")
        tool = await seeded.tool(conn, entry_id, "search")
        assignment = await seeded.assignment(conn, gateway_id, tool, installation=installation)
        tokens = {
            "anna": await seeded.token(conn, user=anna), "ben": await seeded.token(conn, user=ben),
            "team": await seeded.token(conn, team=team),
        }  # fmt: skip
        email = await conn.fetchval("select email from users where id = $1", anna)
        return Scene(gateway_id, assignment, anna, email, tokens)


async def resolved(proxy: AskingProxy, scene: Scene, who: str) -> ResolvedInstallation:
    answer = await proxy.installation(scene.tokens[who], scene.gateway_id, scene.assignment)
    assert answer.installation is not None, answer.refusal
    return answer.installation


def claims(found: ResolvedInstallation) -> dict[str, Any]:
    """As its server reads them."""
    statement = found.own_headers["x-archway-caller"]
    key = jwt.PyJWK(STATEMENTS.public_keys[0])
    read: dict[str, Any] = jwt.decode(
        statement, key, algorithms=["EdDSA"], issuer="https://archway.test", options={"verify_aud": False}
    )
    return read


async def test_each_caller_of_one_installation_is_told_of_with_what_is_known_of_them(
    proxy: AskingProxy, pool: Pool
) -> None:
    made = await scene(pool, EVERYTHING)
    anna, ben, team = [await resolved(proxy, made, who) for who in made.tokens]
    assert anna.installation_id == ben.installation_id
    assert claims(anna).items() >= {
        "sub": f"user:{made.anna}", "email": made.email, "name": "anna", "teams": ["Sales & Co"],
        "gateway": "work", "tool": "search",
    }.items()  # fmt: skip
    assert claims(ben)["email"] not in {"", made.email}
    assert "teams" not in claims(ben)
    assert claims(team)["sub"].startswith("team:")
    assert claims(team)["teams"] == ["Sales & Co"]
    assert "email" not in claims(team)
    assert anna.request_id_header == "x-request-id"
    assert 0 < anna.expires_at - claims(anna)["iat"] <= 60


async def test_plain_headers_name_what_is_known_and_leave_out_the_rest(proxy: AskingProxy, pool: Pool) -> None:
    made = await scene(pool, PLAIN)
    anna, team = await resolved(proxy, made, "anna"), await resolved(proxy, made, "team")
    told = {"x-user": f"user:{made.anna}", "x-mail": made.email, "x-teams": "Sales%20&%20Co"}
    assert anna.own_headers.items() >= told.items()
    assert "x-mail" not in team.own_headers
    assert "x-mail" in team.not_passed


async def test_many_callers_of_one_list_are_each_told_of_as_themselves(proxy: AskingProxy, pool: Pool) -> None:
    made = await scene(pool, EVERYTHING)
    questions = [InstallationQuestion(one, made.gateway_id, made.assignment) for one in made.tokens.values()]
    answers = await proxy.ask("/internal/connections", InstallationQuestions(questions), InstallationAnswers)
    found = {one.question.digest: claims(one.answer.installation)["sub"] for one in answers.answers}
    assert found[made.tokens["anna"]] == f"user:{made.anna}"
    assert len({*found.values()}) == 3


async def test_proxies_are_told_that_its_answer_is_another_for_each_caller(pool: Pool) -> None:
    made = await scene(pool, EVERYTHING)
    async with transaction(pool) as conn:
        document = await gateway_document(conn, made.gateway_id, SIGNER)
    assert document is not None
    (tool,) = open_gateway(document.document, made.gateway_id, VERIFIER).tools
    assert tool.route.per_principal


async def test_an_entry_is_saved_shown_changed_and_freed_of_it(api: Api) -> None:
    told = {"tells": ["email"], "header": "X-Who", "request_id_header": "X-Request-Id"}
    entry = await api.entry(slug="time", caller_statement=told)
    path = f"/entries/{entry['id']}"
    shown = {"form": "jwt", "header": "x-who", "tells": ["email"], "headers": {}, "request_id_header": "x-request-id"}
    assert entry["caller_statement"] == (await api.get(path))["caller_statement"] == shown
    changed = await api.patch(path, {"caller_statement": {"form": "headers", "headers": {"email": "X-Mail"}}})
    assert changed["caller_statement"]["headers"] == {"email": "x-mail"}
    assert (await api.patch(path, {"name": "Other"}))["caller_statement"]["form"] == "headers"
    assert (await api.patch(path, {"caller_statement": None}))["caller_statement"] is None


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"caller_statement": {"header": "mcp-name"}}, "caller_statement.header"),
        (
            {"caller_statement": {"form": "headers", "headers": {"email": "cookie:"}}},
            "caller_statement.headers.email",
        ),
        ({"caller_statement": {}, "isolation": "shared"}, "isolation"),
        ({"caller_statement": {"tells": ["password"]}}, "caller_statement.tells[0]"),
    ],
)
async def test_what_may_not_be_saved_is_refused_at_its_field(api: Api, body: dict[str, Any], field: str) -> None:
    wanted = {"slug": "time", "name": "Time", "url": "https://time.example/mcp", **body}
    problem = await api.post("/entries", wanted, expect=422)
    assert problem["detail"].startswith(f"{field}:")
