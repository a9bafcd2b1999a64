from dataclasses import replace

import pytest

from control.credentials.standing import Standing
from control.explain.causes import Cause, cause_of
from control.explain.serving import Serving
from control.explain.who_calls import WhoCalls
from control.registry.gateway import Gateway
from core.egress.held import Held
from core.egress.rules import Allowed, EgressRules
from core.explain import Explained
from core.resolve import CallerVerdict, InstallationAnswer, Principal
from tests.fakes.registry import a_gateway, an_entry

ADA = Principal("user", "ada", "Ada Lovelace")
BY_JWT = WhoCalls(CallerVerdict("", ADA, auth="jwt"), ADA, "provider_token")
BY_ASSERTION = WhoCalls(CallerVerdict("", ADA, auth="oauth", by_assertion=True), ADA, "id_jag")
OUTSIDE = replace(BY_JWT, cause="No rule gives them a team.", cure="Give one.")
TEAMS = {f"t{number}": f"Team {number}" for number in range(8)}


def cause(
    reason: str,
    gateway: Gateway | None = None,
    serving: Serving | None = None,
    who: WhoCalls | None = None,
) -> Cause:
    calls = who or WhoCalls(CallerVerdict("", ADA), ADA, "user_token")
    explained = Explained([], reason, upstream="find", server="crm")
    tools = ["crm__find_contact", "crm__delete"]
    return cause_of(explained, calls, gateway, serving, teams=TEAMS, tools=tools, asked="find_contact")


def test_of_a_call_that_nothing_refuses_there_is_no_cause() -> None:
    assert cause("", a_gateway()) == Cause()


def test_who_is_in_none_of_the_teams_is_told_which_and_how_to_be_taken_in() -> None:
    told = cause("gateway_unknown", a_gateway(visibility="teams", teams=tuple(TEAMS)))
    named = "Team 0, Team 1, Team 2, Team 3, Team 4 and 3 more"
    assert told.cause == f"Work is for members of {named}, and Ada Lovelace is in none of them."
    assert told.cure == "Take them in with `archway teams add 'Team 0' 'Ada Lovelace'`."


@pytest.mark.parametrize(
    ("reason", "gateway", "cause_has", "cure_has"),
    [
        ("gateway_unknown", None, "no gateway of this name", "archway gateways list"),
        ("gateway_unknown", a_gateway(visibility="personal", owner_id="bob"), "somebody else", "--visibility"),
        ("not_authenticated", None, "no gateway of this name", "archway gateways list"),
        ("not_authenticated", a_gateway(), "accepts tokens that begin with arch_", "--identity-provider"),
        ("way_not_accepted", a_gateway(), "accepts tokens that begin with arch_", "--identity-provider"),
        ("tool_unknown", a_gateway(), "It shows crm__find_contact.", "archway assignments create --gateway work"),
        ("quarantined", a_gateway(), "find of crm into quarantine", "archway entries release crm find"),
        ("held_back", a_gateway(), "another tool than the one that was approved", "entries acknowledge crm find"),
        ("audit_unavailable", a_gateway(), "Redis does not answer", "archway doctor"),
    ],
)
def test_each_refusal_has_a_cause_and_a_cure(
    reason: str, gateway: Gateway | None, cause_has: str, cure_has: str
) -> None:
    told = cause(reason, gateway)
    assert cause_has in told.cause
    assert cure_has in told.cure


def test_why_somebody_is_not_let_in_comes_before_what_the_gateway_accepts() -> None:
    who = WhoCalls(CallerVerdict("", refusal="disabled"), ADA, "user_token", "", "Ada is shut out.", "Let her in.")
    assert cause("not_authenticated", a_gateway(), who=who) == Cause("Ada is shut out.", "Let her in.")


def test_of_an_installation_that_lacks_something_its_standing_is_told() -> None:
    serving = Serving(InstallationAnswer(), standing=Standing("needs_sign_in", "Nobody has signed in.", "Sign in."))
    assert cause("needs_sign_in", a_gateway(), serving) == Cause("Nobody has signed in.", "Sign in.")
    assert cause("credential_missing", a_gateway()) == Cause()


def test_of_a_server_that_a_policy_shuts_out_the_policy_is_told() -> None:
    held = Held(EgressRules("restricted", (Allowed(domains=("a.test",)),)), "Production")
    told = cause("upstream_egress", a_gateway(), Serving(InstallationAnswer(), entry=an_entry(held=held)))
    assert told.cause == "The egress policy of the environment Production allows a.test on 443."
    assert told.cure == "Allow github.test:443 there, or move the entry github to another environment."


def test_what_is_known_of_who_is_in_no_team_comes_before_the_gateway_s_teams() -> None:
    told = cause("gateway_unknown", a_gateway(visibility="teams", teams=("t1",)), who=OUTSIDE)
    assert told == Cause("No rule gives them a team.", "Give one.")


@pytest.mark.parametrize(("who", "option"), [(BY_JWT, "--audience AUDIENCE"), (BY_ASSERTION, "--takes-assertions")])
def test_the_way_that_is_not_accepted_decides_what_helps(who: WhoCalls, option: str) -> None:
    told = cause("way_not_accepted", a_gateway(), who=who)
    assert told.cause == "This gateway accepts tokens that begin with arch_ and signing in with an OAuth client."
    assert option in told.cure
