import pytest

from control.credentials.calling import Calling
from control.credentials.resolution import ResolutionRows
from control.credentials.statement import CallerStatements
from control.credentials.whose import Uses
from control.explain.dry_usable import Opening
from control.explain.serving import Serving, serving
from control.registry.caller_statement import CallerStatement
from control.registry.credential import NoCredential
from control.registry.row_seals import RowSeals
from core.caller_statements import StatementSigner
from core.keys import new_key, parse_key_ring
from core.resolve import Principal, TokenProof
from core.snapshot import Visibility
from tests.fakes.registry import an_entry, an_installation

PAGES = "https://tools.example.com"
OPENING = Opening(
    RowSeals(parse_key_ring("ARCHWAY_SECRET_KEY", new_key())),
    "process",
    CallerStatements(StatementSigner(parse_key_ring("signing", new_key()), PAGES)),
)
EVERYBODY = Calling(Principal("organisation", "organisation", "All"), "organisation_token", TokenProof(""), "g1")


async def served(told: CallerStatement | None) -> Serving:
    pinned = an_installation()
    entry = an_entry(credential=NoCredential(), caller_statement=told)
    rows = ResolutionRows(Visibility("organisation"), entry, pinned.id, [pinned], {})
    return await serving(EVERYBODY, rows, OPENING, PAGES)


@pytest.mark.parametrize(("told", "uses"), [(None, "nothing"), (CallerStatement(form="jwt"), "statement")])
async def test_a_server_without_a_credential_gets_a_statement_where_it_is_told_of_its_callers(
    told: CallerStatement | None, uses: Uses
) -> None:
    found = await served(told)
    assert found.uses == uses
    assert found.answer.installation is not None
    assert bool(found.answer.installation.statement_headers) == (uses == "statement")
