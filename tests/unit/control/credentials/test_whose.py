import pytest

from control.credentials.whose import CALLERS, TABLE, WANTED, CallerKind, Wanted, caller_kind, cell_of
from control.registry.credential import KINDS, KINDS_FOR_ONE_CALLER, NoCredential, Passthrough
from core.resolve import AuthKind, Principal, PrincipalKind


def test_every_kind_of_credential_has_a_row_and_every_kind_of_caller_a_cell() -> None:
    assert set(TABLE) == set(WANTED) == {*KINDS, "caller_statement"}
    assert all(set(row) == set(CALLERS) for row in TABLE.values())


def test_a_cell_says_whose_token_or_why_none() -> None:
    for row in TABLE.values():
        for cell in row.values():
            assert (cell.uses is None) == bool(cell.refusal)
            assert not cell.refusal.endswith("."), "it stands behind the server's name"


@pytest.mark.parametrize("wanted", KINDS_FOR_ONE_CALLER)
@pytest.mark.parametrize("caller", ["team_token", "organisation_token", "service_account"])
def test_what_is_no_person_and_brings_no_token_of_a_provider_gets_nothing_of_anybody(
    wanted: Wanted, caller: CallerKind
) -> None:
    assert TABLE[wanted][caller].uses is None


def test_a_token_of_archway_is_never_passed_on() -> None:
    passed_on = {kind for kind, cell in TABLE["passthrough"].items() if cell.uses is not None}
    assert passed_on == {"provider_token", "ci_job", "external"}
    assert {TABLE["passthrough"][kind].uses for kind in passed_on} == {"own_token"}


@pytest.mark.parametrize(
    ("principal", "auth", "by_assertion", "kind"),
    [
        ("user", "token", False, "user_token"), ("user", "oauth", False, "oauth"), ("user", "oauth", True, "id_jag"),
        ("user", "jwt", False, "provider_token"), ("team", "token", False, "team_token"),
        ("organisation", "token", False, "organisation_token"), ("service", "oauth", False, "service_account"),
        ("service", "jwt", False, "ci_job"), ("external", "jwt", False, "external"),
    ],
)  # fmt: skip
def test_the_kind_of_caller_is_read_of_the_verdict(
    principal: PrincipalKind, auth: AuthKind, by_assertion: bool, kind: CallerKind
) -> None:
    assert caller_kind(Principal(principal, "p1", "Pat"), auth, by_assertion=by_assertion) == kind


def test_the_cell_of_a_credential_is_in_the_row_of_its_kind() -> None:
    assert cell_of(NoCredential(), "external").uses == "nothing"
    assert cell_of(Passthrough(("crm",)), "external").uses == "own_token"
