"""What a call to a company's tool is held against: the cell of the table of whose token reaches a server."""

from __future__ import annotations

import base64
import json
from typing import Any

from control.credentials.whose import TABLE, CallerKind, Uses, Wanted
from tests.fakes.mcp_upstream import Answer, Received
from tests.fixtures_system import Outcome
from tests.trust.whose_company import KEYS, Company


def claims_in(token: str) -> dict[str, Any]:
    """What a signed token says; {} for what is none."""
    if token.count(".") != 2:
        return {}
    return dict(json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "==")))


def told_by(received: Received) -> Answer:
    named = {name.lower(): value for name, value in received.headers.items()}
    return Answer(text=json.dumps({name: named.get(name, "") for name in ("authorization", "x-caller")}))


async def what_is_wrong(company: Company, caller: CallerKind, wanted: Wanted, outcome: Outcome) -> str:
    """How a call went otherwise than its cell says; '' where it went so."""
    cell = TABLE[wanted][caller]
    if cell.uses is None:
        right = outcome.status == "not_allowed" and cell.refusal in outcome.sentence
        return "" if right else f"{outcome.status}: {outcome.sentence}"
    if outcome.status != "ok":
        return f"{outcome.status}: {outcome.sentence}"
    got = json.loads(outcome.result["content"][0]["text"])
    bearer = got["authorization"].removeprefix("Bearer ")
    right = await is_as_told(company, caller, wanted, cell.uses, bearer, got["x-caller"])
    return "" if right else f"{bearer or 'nothing'} {claims_in(bearer)} {got['x-caller']}"


async def is_as_told(
    company: Company, caller: CallerKind, wanted: Wanted, uses: Uses, bearer: str, statement: str
) -> bool:
    """Whether a server got that."""
    said = claims_in(bearer)
    if uses == "nothing":
        return (bearer, statement) == ("", "")
    if uses == "statement":
        return not bearer and claims_in(statement).get("sub") == await company.key_of(caller)
    if uses == "installation":
        return bearer == KEYS[wanted]
    if wanted == "passthrough":
        return bearer == company.tokens[caller]
    subject = company.subjects[caller]
    if company.idp.is_of(said, company.tokens[caller]) != (uses == "own_token"):
        return False
    if wanted == "id_jag":
        return (said.get("iss"), said.get("sub")) == (company.at_server.issuer, f"{subject}@{company.idp.issuer}")
    return (said.get("iss"), said.get("sub"), said.get("aud")) == (company.idp.issuer, subject, "crm")
