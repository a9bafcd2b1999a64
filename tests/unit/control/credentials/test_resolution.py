from __future__ import annotations

from dataclasses import replace

import pytest

from control.credentials.resolution import ResolutionRows, choose_installation
from control.credentials.whose import CallerKind
from control.registry.credential import TokenExchange
from control.registry.entry import Entry
from control.registry.installation import Installation
from control.registry.owner import owner_of
from core.resolve import InstallationRefusal, Principal
from core.snapshot import Visibility
from tests.fakes.registry import BEARER, an_entry, an_installation

ENTRY = an_entry(credential=BEARER)
ANN = Principal("user", "ann", "Ann", frozenset({"ops", "dev"}))
OPS = Principal("team", "ops", "Ops", frozenset({"ops"}))
EVERYBODY = Principal("organisation", "organisation", "All")
NAMES = {"ops": "Operations", "dev": "Developers"}


def installed(
    name: str, *, user: str | None = None, team: str | None = None, client: str | None = None, entry: str = "e1"
) -> Installation:
    return an_installation(id=name, entry_id=entry, name=name, owner=owner_of(user, team, client))


MINE, BOBS = installed("mine", user="ann"), installed("bobs", user="bob")
OF_OPS, OF_DEV, OF_QA = (installed(f"of-{team}", team=team) for team in ("ops", "dev", "qa"))
OF_ALL = installed("of-all")
NIGHTLY = Principal("service", "nightly", "Nightly", frozenset({"ops"}))
NIGHTLYS, WEEKLYS = installed("nightlys", client="nightly"), installed("weeklys", client="weekly")


def chosen(
    principal: Principal, *installations: Installation, pinned: str | None = None, teams: tuple[str, ...] = ()
) -> str:
    """The installation's name, or the refusal's code."""
    visibility = Visibility("teams", teams=list(teams)) if teams else Visibility("organisation")
    rows = ResolutionRows(visibility, ENTRY, pinned, list(installations), NAMES)
    found = choose_installation(principal, rows)
    return found.code if isinstance(found, InstallationRefusal) else found.name


def test_the_caller_s_own_comes_first() -> None:
    assert chosen(ANN, OF_ALL, OF_OPS, BOBS, MINE) == "mine"


def test_then_the_caller_s_team_then_the_organisation() -> None:
    assert chosen(ANN, OF_ALL, OF_OPS, BOBS) == "of-ops"
    assert chosen(ANN, OF_ALL, OF_QA, BOBS) == "of-all"


def test_a_client_that_acts_by_itself_is_served_by_its_team_then_by_the_organisation() -> None:
    client = Principal("service", "ann", "Nightly", frozenset({"ops"}))
    assert chosen(client, MINE, OF_OPS, OF_ALL) == "of-ops"
    assert chosen(client, MINE, OF_DEV, OF_ALL) == "of-all"
    assert chosen(client, MINE, OF_DEV) == "credential_missing"


def test_a_service_account_s_own_comes_before_its_team_s_and_the_organisation_s() -> None:
    assert chosen(NIGHTLY, OF_ALL, OF_OPS, WEEKLYS, NIGHTLYS) == "nightlys"
    assert chosen(NIGHTLY, OF_ALL, OF_OPS, NIGHTLYS, teams=("ops",)) == "nightlys"
    assert chosen(NIGHTLY, OF_ALL, OF_OPS, WEEKLYS) == "of-ops"
    assert chosen(NIGHTLY, WEEKLYS) == "credential_missing"


@pytest.mark.parametrize(
    "principal",
    [
        ANN,
        Principal("user", "nightly", "A person of that identifier"),
        Principal("team", "nightly", "A team of it", frozenset({"nightly"})),
        Principal("service", "weekly", "Weekly", frozenset({"ops"})),
    ],
)
def test_a_service_account_s_own_serves_nobody_else_pinned_or_not(principal: Principal) -> None:
    assert chosen(principal, NIGHTLYS) == "credential_missing"
    assert chosen(principal, NIGHTLYS, pinned="nightlys") == "not_allowed"
    assert chosen(NIGHTLY, NIGHTLYS, pinned="nightlys") == "nightlys"


def test_somebody_without_an_account_uses_what_a_team_of_theirs_has_and_nothing_where_they_do_not_get_in() -> None:
    external = Principal("external", "nightly", "Somebody", frozenset({"ops"}))
    assert chosen(external, NIGHTLYS, OF_OPS) == "not_allowed"
    assert chosen(external, NIGHTLYS, teams=("ops",)) == "credential_missing"
    assert chosen(external, NIGHTLYS, OF_OPS, teams=("ops",)) == "of-ops"


def test_a_service_account_without_one_is_told_who_gives_it_one_and_gets_no_link() -> None:
    rows = ResolutionRows(Visibility("organisation"), ENTRY, None, [WEEKLYS], NAMES)
    refusal = choose_installation(NIGHTLY, rows, "https://archway.test")
    assert refusal == InstallationRefusal(
        "credential_missing",
        "GitHub is not connected: neither this client nor a team of its has an installation of it. Whoever runs "
        "this client asks an administrator to run `archway installations create --entry github --scope service "
        "--oauth-client Nightly --credential`.",
    )


def test_somebody_else_s_is_never_used() -> None:
    assert chosen(ANN, BOBS, OF_QA) == "credential_missing"


def test_of_several_teams_the_gateway_s_own_is_taken() -> None:
    assert chosen(ANN, OF_OPS, OF_DEV, teams=("dev", "qa")) == "of-dev"


def test_where_two_fit_equally_nobody_guesses() -> None:
    rows = ResolutionRows(Visibility("organisation"), ENTRY, None, [OF_OPS, OF_DEV, OF_ALL], NAMES)
    refusal = choose_installation(ANN, rows)
    assert isinstance(refusal, InstallationRefusal)
    assert refusal.code == "credential_ambiguous"
    assert "'of-dev' of the team 'Developers'; 'of-ops' of the team 'Operations'" in refusal.sentence


@pytest.mark.parametrize("others", [(), (OF_ALL, OF_OPS), (OF_ALL,)])
@pytest.mark.parametrize("principal", [ANN, OPS])
def test_of_several_of_one_owner_only_the_default_serves(
    principal: Principal, others: tuple[Installation, ...]
) -> None:
    for usual, told in ((MINE, "mine"), (OF_OPS, "of-ops"), (OF_ALL, "of-all")):
        beside = replace(usual, id="beside", name="beside", is_default=False)
        assert chosen(principal, beside, *others) != "beside"
        if principal == ANN or usual != MINE:
            assert chosen(principal, beside, usual) == told


def test_one_that_is_not_the_default_serves_where_a_tool_is_pinned_to_it() -> None:
    staging = replace(OF_ALL, id="staging", name="staging", is_default=False)
    assert chosen(ANN, OF_ALL, staging, pinned="staging") == "staging"


def test_a_team_s_token_begins_at_its_team() -> None:
    assert chosen(OPS, MINE, OF_DEV, OF_OPS, OF_ALL) == "of-ops"
    assert chosen(OPS, MINE, OF_DEV, OF_ALL) == "of-all"
    assert chosen(OPS, MINE, OF_DEV) == "credential_missing"


def test_a_team_named_like_a_user_does_not_own_the_user_s() -> None:
    assert chosen(Principal("team", "ann", "Ann's", frozenset({"ann"})), MINE) == "credential_missing"


def test_an_organisation_s_token_is_refused_with_the_cure() -> None:
    rows = ResolutionRows(Visibility("organisation"), ENTRY, None, [OF_ALL], NAMES)
    refusal = choose_installation(EVERYBODY, rows)
    assert isinstance(refusal, InstallationRefusal)
    assert refusal.code == "not_allowed"
    assert "Use a token of a user" in refusal.sentence


def test_a_missing_credential_is_told_with_what_a_person_can_do_now() -> None:
    refusal = choose_installation(ANN, ResolutionRows(Visibility("organisation"), ENTRY, None, [], NAMES))
    assert refusal == InstallationRefusal(
        "credential_missing",
        "GitHub is not connected: neither you nor a team of yours has an installation of it. Run `archway "
        "installations create --entry github --scope personal --credential`, or ask an administrator.",
    )


def test_whom_nothing_fits_is_led_to_the_page_that_connects_the_entry() -> None:
    rows = ResolutionRows(Visibility("organisation"), ENTRY, None, [], NAMES)
    for principal, key in ((ANN, "user%3Aann"), (OPS, "team%3Aops")):
        refusal = choose_installation(principal, rows, "https://archway.test")
        assert isinstance(refusal, InstallationRefusal)
        assert refusal.link == f"https://archway.test/install/github?as={key}"
        assert f"installation of it. Open {refusal.link} to connect it, then try again. Or run `" in refusal.sentence


def test_where_two_fit_the_page_for_one_s_own_is_named() -> None:
    rows = ResolutionRows(Visibility("organisation"), ENTRY, None, [OF_OPS, OF_DEV], NAMES)
    refusal = choose_installation(ANN, rows, "https://archway.test")
    assert isinstance(refusal, InstallationRefusal)
    assert refusal.link
    assert f"Open {refusal.link} to connect your own, then try again, or ask an admin" in refusal.sentence


@pytest.mark.parametrize("others", [(), (MINE,), (OF_DEV, OF_QA), (BOBS, OF_QA)])
def test_a_team_s_token_is_told_that_its_team_has_none_and_how_to_make_one(others: tuple[Installation, ...]) -> None:
    refusal = choose_installation(OPS, ResolutionRows(Visibility("organisation"), ENTRY, None, others, NAMES))
    assert refusal == InstallationRefusal(
        "credential_missing",
        "GitHub is not connected: your team has no installation of it. Run `archway installations create "
        "--entry github --scope team --team Ops --credential`, or ask an administrator.",
    )


@pytest.mark.parametrize("principal", [ANN, OPS, EVERYBODY])
def test_a_pinned_one_serves_everybody_who_may_enter(principal: Principal) -> None:
    assert chosen(principal, OF_QA, pinned="of-qa") == "of-qa"


def test_a_pinned_personal_one_serves_its_owner_alone() -> None:
    assert chosen(ANN, MINE, pinned="mine") == "mine"
    assert chosen(ANN, BOBS, pinned="bobs") == "not_allowed"
    assert chosen(OPS, MINE, pinned="mine") == "not_allowed"
    assert chosen(EVERYBODY, MINE, pinned="mine") == "not_allowed"


def test_a_pinned_one_that_is_gone_or_of_another_entry_is_refused() -> None:
    assert chosen(ANN, OF_ALL, pinned="gone") == "installation_gone"
    assert chosen(ANN, installed("other", entry="e2"), pinned="other") == "installation_gone"


def on_own_gateway(*, pinned: str | None, entry: Entry = ENTRY, owner: Principal = ANN) -> str:
    rows = ResolutionRows(Visibility("personal", owner="ann"), entry, pinned, [MINE, OF_OPS, OF_QA, OF_ALL], NAMES)
    found = choose_installation(owner, rows)
    return found.sentence if isinstance(found, InstallationRefusal) else found.name


def test_on_a_personal_gateway_a_team_s_pin_ends_with_the_owner_s_membership() -> None:
    assert on_own_gateway(pinned="of-ops") == "of-ops"
    left = Principal("user", "ann", "Ann", frozenset({"dev"}))
    assert on_own_gateway(pinned="of-ops", owner=left).endswith(
        "Ask an admin of the team to add you, or remove the pin."
    )


@pytest.mark.parametrize("pinned", ["mine", "of-ops", "of-all", None])
def test_on_a_personal_gateway_the_owner_must_still_see_the_entry(pinned: str | None) -> None:
    shown = replace(ENTRY, visibility="teams", teams=("qa", "ops"))
    hidden = replace(shown, teams=("qa",))
    assert on_own_gateway(pinned=pinned, entry=shown) == (pinned or "mine")
    assert on_own_gateway(pinned=pinned, entry=hidden).startswith("GitHub is not visible to you any more")


def test_a_shared_gateway_lends_what_an_administrator_put_there_also_where_the_entry_is_hidden() -> None:
    hidden = replace(ENTRY, visibility="teams", teams=("qa",))
    found = choose_installation(ANN, ResolutionRows(Visibility("organisation"), hidden, "of-all", [OF_ALL], NAMES))
    assert not isinstance(found, InstallationRefusal)


def test_who_may_not_enter_the_gateway_gets_nothing_of_it() -> None:
    assert chosen(ANN, MINE, pinned="mine", teams=("qa",)) == "not_allowed"
    assert chosen(EVERYBODY, OF_ALL, pinned="of-all", teams=("qa",)) == "not_allowed"


def test_an_unknown_assignment_is_refused_in_the_words_of_a_hidden_one() -> None:
    hidden = choose_installation(ANN, ResolutionRows(Visibility("personal", owner="bob"), ENTRY, None, [MINE], NAMES))
    assert choose_installation(ANN, None) == hidden


@pytest.mark.parametrize("pinned", [None, "of-ops"])
@pytest.mark.parametrize(("principal", "kind"), [(EVERYBODY, "organisation_token"), (OPS, "team_token")])
def test_where_no_installation_could_serve_such_a_caller_that_is_said_and_no_pin_is_asked_for(
    principal: Principal, kind: CallerKind, pinned: str | None
) -> None:
    entry = an_entry(credential=TokenExchange("p1", audience="crm"))
    rows = ResolutionRows(Visibility("organisation"), entry, pinned, [OF_OPS, OF_DEV], NAMES)
    refusal = choose_installation(principal, rows, kind=kind)
    assert isinstance(refusal, InstallationRefusal)
    assert refusal.code == "not_allowed"
    assert "acts as the person who calls" in refusal.sentence
    assert "pin" not in refusal.sentence
