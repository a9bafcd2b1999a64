import pytest

from control.explain.of_provider import admitted, no_rule_for, takes_tokens, way_not_taken
from control.registry.external_principal import ExternalPrincipal
from control.registry.identity_provider import ServiceRule, TeamRule
from control.registry.oauth_client import OAuthClient
from core.resolve import Way
from tests.fakes.providers import ISSUER, a_provider
from tests.fakes.registry import MADE_AT, a_gateway

CORP = a_provider(audiences=("desk",), admits_external=True, teams_claim="groups")
DESK = a_gateway(visibility="teams", teams=("t1",), identity_provider_id=CORP.id, identity_provider_audience="desk")
ZOE = ExternalPrincipal(
    id="z", provider_id=CORP.id, issuer=ISSUER, subject="zoe", name="Zoe", first_seen_at=MADE_AT,
    last_seen_at=MADE_AT, disabled_at=None, version=1,
)  # fmt: skip


@pytest.mark.parametrize(
    ("gateway", "provider", "way", "cause", "cure"),
    [
        (a_gateway(), None, "jwt", "", "--identity-provider PROVIDER --audience AUDIENCE"),
        (a_gateway(identity_provider_id="p1"), CORP, "jwt", "", "update work --audience AUDIENCE"),
        (DESK, a_provider(enabled=False), "jwt", "Corp is switched off.", "update corp --enabled"),
        (DESK, a_provider(), "jwt", "does not allow the audience desk", "update corp --add-audience desk"),
        (a_gateway(), None, "id_jag", "", "--takes-assertions --identity-provider PROVIDER`"),
        (DESK, CORP, "id_jag", "", "update work --takes-assertions`"),
    ],
)
def test_what_a_gateway_lacks_for_a_way_is_told_with_the_command_that_sets_it(
    gateway: object, provider: object, way: Way, cause: str, cure: str
) -> None:
    told = way_not_taken(gateway, provider, way)  # type: ignore[arg-type]
    assert bool(told[0]) == bool(cause)
    assert cause in told[0]
    assert cure in told[1]


def test_a_gateway_takes_the_tokens_of_a_provider_that_is_on_and_allows_its_audience() -> None:
    assert takes_tokens(DESK, CORP)
    assert way_not_taken(DESK, CORP, "jwt") == ("", "")
    assert not [one for one in (None, a_provider(), a_provider(enabled=False)) if takes_tokens(DESK, one)]


def test_a_service_account_is_called_as_by_a_rule_that_names_it() -> None:
    client = OAuthClient(
        id="c1", client_id="c1", kind="registered", name="Nightly", created_at=MADE_AT, updated_at=MADE_AT,
        last_used_at=None, disabled_at=None, version=1, acts="by_itself",
    )  # fmt: skip
    assert "calls as" in no_rule_for(CORP, client)[0]
    ruled = a_provider(service_rules=(ServiceRule(client.id, {"repository": "acme/shop"}),))
    assert no_rule_for(ruled, client) == ("", "")


def test_who_has_no_account_may_enter_by_each_value_that_gives_a_team_of_the_gateway() -> None:
    rules = (*(TeamRule(f"g{number}", "t1") for number in range(7)), TeamRule("others", "t2"))
    told = admitted(
        DESK, a_provider(admits_external=True, teams_claim="groups", team_rules=rules), ZOE, {"t1": "Ops"}
    )
    assert told.teams == {"t1"}
    assert "`groups`" in told.enters
    assert told.enters.endswith("`g4` gives Ops and 2 more.")


@pytest.mark.parametrize(
    ("changes", "gateway", "known", "cure"),
    [
        ({"id": "p2"}, DESK, False, "their provider's tokens"),
        ({"admits_external": False}, DESK, False, "--admits-external"),
        ({}, a_gateway(visibility="organisation"), True, "--visibility teams"),
        ({}, DESK, True, "--team-rules RULES"),
        ({"teams_claim": ""}, DESK, True, "--teams-claim CLAIM --team-rules RULES"),
    ],
)
def test_who_has_no_account_and_may_not_enter_is_told_what_lacks(
    changes: dict[str, object], gateway: object, known: bool, cure: str
) -> None:
    wanted = {"admits_external": True, "teams_claim": "groups", **changes}
    told = admitted(gateway, a_provider(**wanted), ZOE, {})  # type: ignore[arg-type]
    assert (told.known, told.teams, told.enters) == (known, frozenset(), "")
    assert told.cause
    assert cure in told.cure
