from __future__ import annotations

import pytest

from control.credentials.cure import install_link, to_connect, to_give_again, with_link
from control.credentials.resolved import needs_sign_in
from control.registry.credential import OAuthCredential
from control.registry.fields import Field
from control.registry.owner import ServiceAccount
from core.resolve import InstallationRefusal, Principal, PrincipalKind
from tests.fakes.registry import BEARER, an_entry, an_installation

ENTRY = an_entry(slug="crm", credential=BEARER)
ANN = Principal("user", "u1", "Ann")
PAGES = "https://archway.test"


def test_a_person_connects_a_personal_installation() -> None:
    assert "`archway installations create --entry crm --scope personal --credential`" in to_connect(ENTRY, ANN)


def test_an_entry_that_takes_no_credential_is_connected_without_one() -> None:
    assert "--credential" not in to_connect(an_entry(), ANN)


def test_a_team_s_token_is_told_of_its_team() -> None:
    assert "--scope team --team Ops --credential`" in to_connect(ENTRY, Principal("team", "t1", "Ops"))


@pytest.mark.parametrize(
    ("name", "typed"), [("Field Sales", "'Field Sales'"), ("R&D", "'R&D'"), ("Käse", "'Käse'"), ("", "t1")]
)
def test_a_team_s_name_is_told_as_a_shell_takes_it(name: str, typed: str) -> None:
    assert f"--team {typed} --credential`" in to_connect(ENTRY, Principal("team", "t1", name))


@pytest.mark.parametrize(
    ("teams", "scope"),
    [((), "organisation"), (("t1",), "team --team t1"), (("t1", "t2"), "organisation")],
)
@pytest.mark.parametrize("kind", ["external"])
def test_a_client_without_a_person_is_told_what_an_administrator_does(
    kind: PrincipalKind, teams: tuple[str, ...], scope: str
) -> None:
    told = to_connect(ENTRY, Principal(kind, "c1", "Nightly", frozenset(teams)))
    assert told == (
        "Whoever runs this client asks an administrator to run `archway installations create --entry crm --scope "
        f"{scope} --credential`."
    )


NIGHTLY = Principal("service", "c1", "Nightly run", frozenset({"t1"}))


def test_a_service_account_is_told_how_an_administrator_gives_it_an_installation_of_its_own() -> None:
    assert to_connect(ENTRY, NIGHTLY) == (
        "Whoever runs this client asks an administrator to run `archway installations create --entry crm --scope "
        "service --oauth-client 'Nightly run' --credential`."
    )
    assert "--oauth-client c1 " in to_connect(ENTRY, Principal("service", "c1", ""))


@pytest.mark.parametrize(("teams", "scope"), [((), "organisation"), (("t1",), "team --team t1")])
def test_a_service_account_is_sent_to_its_team_or_all_where_it_can_have_none_of_its_own(
    teams: tuple[str, ...], scope: str
) -> None:
    client = Principal("service", "c1", "Nightly", frozenset(teams))
    assert to_connect(an_entry(slug="crm", credential=OAuthCredential()), client) == (
        "A service account cannot sign in there. Whoever runs this client asks an administrator to run `archway "
        f"installations create --entry crm --scope {scope}`, and to sign in for it."
    )
    assert f"--scope {scope} --credential`." in to_connect(an_entry(credential=BEARER, team_id="t1"), client)


def test_a_credential_is_given_again_to_the_installation_that_lacks_it() -> None:
    told = to_give_again(ENTRY, an_installation())
    assert told.startswith("Run `archway installations update github@organisation --credential`")


@pytest.mark.parametrize(
    ("owner", "typed"),
    [
        ("Support", "github@Support"),
        ("ann@example.com", "github@ann@example.com"),
        ("Field Ops", "'github@Field Ops'"),
    ],
)
def test_an_installation_is_named_by_its_address_and_never_by_its_identifier(owner: str, typed: str) -> None:
    told = to_give_again(ENTRY, an_installation(owner_name=owner))
    assert f"`archway installations update {typed} --credential`" in told


def test_secret_answers_are_given_again_where_the_entry_takes_no_credential() -> None:
    entry = an_entry(fields=(Field("pin", "secret", "x-pin"), Field("key", "secret", "x-key")))
    told = to_give_again(entry, an_installation(secret_names=("pin",)))
    assert told.startswith("Run `archway installations update github@organisation --secret pin`")


@pytest.mark.parametrize(
    ("principal", "told"),
    [
        (ANN, "https://archway.test/install/crm?as=user%3Au1"),
        (Principal("team", "t1", "Ops"), "https://archway.test/install/crm?as=team%3At1"),
        (Principal("organisation", "", "All"), ""),
        (Principal("service", "c1", "Nightly"), ""),
        (Principal("external", "x", "Somebody"), ""),
    ],
)
def test_a_person_and_a_team_get_a_link_that_names_whom_it_is_for(principal: Principal, told: str) -> None:
    assert install_link(PAGES, ENTRY, principal) == told
    assert install_link("", ENTRY, principal) == ""


def test_a_link_that_mends_an_installation_names_it() -> None:
    assert install_link(PAGES, ENTRY, ANN, an_installation(id="i 1&")).endswith("?as=user%3Au1&installation=i+1%26")


def test_a_link_goes_before_the_command_and_says_to_try_again() -> None:
    assert to_connect(ENTRY, ANN, "https://a.test/x") == (
        "Open https://a.test/x to connect it, then try again. Or run `archway installations create --entry crm "
        "--scope personal --credential`, or ask an administrator."
    )


def test_a_refusal_that_a_person_can_end_leads_to_the_page_first() -> None:
    told = with_link(needs_sign_in(ENTRY, an_installation(), "must be given it"), ANN, PAGES)
    assert told == InstallationRefusal(
        "needs_sign_in",
        f"The installation 'Ours' of GitHub must be given it. Open {PAGES} to put that right, then try again. Or run "
        "`archway installations update github@organisation --credential`, or ask an administrator.",
        PAGES,
    )


def test_without_a_link_and_where_nobody_can_do_anything_the_refusal_stays_as_it_was() -> None:
    waiting = needs_sign_in(ENTRY, an_installation(), "must be given it")
    away = InstallationRefusal("provider_away", "The provider is away.")
    assert with_link(waiting, ANN, "") == waiting
    assert with_link(away, ANN, PAGES) == away
    assert with_link(away, NIGHTLY, "") == away


def test_a_program_is_told_who_gives_its_installation_what_it_lacks() -> None:
    its = an_installation(owner=ServiceAccount("c1"), owner_name="Nightly run")
    assert with_link(needs_sign_in(ENTRY, its, "must be given it"), NIGHTLY, "") == InstallationRefusal(
        "needs_sign_in",
        "The installation 'Ours' of GitHub must be given it. Whoever runs this client asks an administrator to run "
        "`archway installations update 'github@Nightly run' --credential`.",
    )


def test_exactly_what_must_be_given_again_is_asked_for_where_that_is_known() -> None:
    entry = an_entry(credential=BEARER, fields=(Field("pin", "secret", "x-pin"),))
    told = to_give_again(entry, an_installation(), ("credential", "pin"))
    assert "update github@organisation --credential --secret pin`" in told
    assert "update github@organisation --secret pin`" in to_give_again(entry, an_installation(), ("pin",))


def test_an_answer_that_is_no_secret_is_given_as_a_value() -> None:
    told = to_give_again(ENTRY, an_installation(), answer="region")
    assert told.startswith("Run `archway installations update github@organisation --value region=...`")


def test_an_account_is_given_again_by_signing_in() -> None:
    entry = an_entry(credential=OAuthCredential())
    told = to_give_again(entry, an_installation())
    assert told.startswith("Run `archway installations sign-in github@organisation`")
