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
from control.registry.self_hosted import SelfHosted
from control.registry.server_state import Phase
from core.caller_statements import StatementSigner
from core.keys import new_key, parse_key_ring
from core.resolve import Principal, TokenProof
from core.snapshot import Visibility
from tests.fakes.registry import a_server_state, an_entry, an_installation

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


@pytest.mark.parametrize(
    ("phase", "says"),
    [("asleep", "is asleep, since nobody called it for a while: the call would start it, and wait for it."),
     ("starting", "is starting. Try again in 5 s.")],
)  # fmt: skip
async def test_of_a_server_that_is_asleep_it_is_said_that_the_call_would_start_it(phase: Phase, says: str) -> None:
    pinned = an_installation(server_state=a_server_state(phase=phase))
    entry = an_entry(credential=NoCredential(), reached=SelfHosted(transport="http"))
    rows = ResolutionRows(Visibility("organisation"), entry, pinned.id, [pinned], {})
    refusal = (await serving(EVERYBODY, rows, OPENING, PAGES)).answer.refusal
    assert refusal is not None
    assert (refusal.under_way, refusal.sentence) == (True, f"GitHub {says}")
