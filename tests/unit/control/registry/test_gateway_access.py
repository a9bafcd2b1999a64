import pytest

from control.registry.access import Caller
from control.registry.actions import Action
from control.registry.broken_rule import BrokenRule
from control.registry.gateway import GatewayFields
from control.registry.gateway_access import check_audience, check_pin, may_manage_gateway, with_owner
from control.registry.owner import Person, ServiceAccount, TeamOwner
from tests.fakes.registry import an_installation, gateway_fields

ANNA = Caller("anna", "Anna", "member", {"blue": "member"})
LENA = Caller("lena", "Lena", "member", {"blue": "admin"})
EDITOR = Caller("ed", "Ed", "editor")
ADMIN = Caller("root", "Root", "admin")
ANNAS = gateway_fields(visibility="personal", owner_id="anna")
BENS = gateway_fields(visibility="personal", owner_id="ben")
OPEN = gateway_fields()


@pytest.mark.parametrize("action", ["gateway:create", "gateway:update", "gateway:delete", "assignment:create"])
def test_everybody_manages_their_own_personal_gateways_and_admins_all(action: Action) -> None:
    assert may_manage_gateway(ANNA, action, ANNAS)
    assert not may_manage_gateway(ANNA, action, BENS)
    assert not may_manage_gateway(ANNA, action, OPEN)
    assert not may_manage_gateway(Caller("", "nobody", "member"), action, gateway_fields(visibility="personal"))
    assert may_manage_gateway(ADMIN, action, gateway_fields(visibility="teams", teams=("t1",)))
    assert may_manage_gateway(EDITOR, action, gateway_fields(visibility="teams", teams=("t1",)))
    assert not may_manage_gateway(LENA, action, gateway_fields(visibility="teams", teams=("blue",)))


def test_a_personal_gateway_belongs_to_who_makes_it_unless_another_is_named() -> None:
    assert with_owner(ANNA, gateway_fields(visibility="personal")) == ANNAS
    assert with_owner(ADMIN, ANNAS) == ANNAS
    assert with_owner(ANNA, OPEN) == OPEN


def test_a_personal_installation_is_pinned_by_its_owner_on_their_own_gateway() -> None:
    hers = an_installation(owner=Person("anna"))
    check_pin(ANNA, ANNAS, hers, "e1")
    for caller, gateway in ((ADMIN, ANNAS), (LENA, ANNAS), (ANNA, OPEN), (ANNA, BENS)):
        with pytest.raises(BrokenRule):
            check_pin(caller, gateway, hers, "e1")


def test_a_teams_installation_is_lent_by_its_admins() -> None:
    shared = an_installation(owner=TeamOwner("blue"))
    check_pin(LENA, OPEN, shared, "e1")
    check_pin(ADMIN, OPEN, shared, "e1")
    with pytest.raises(BrokenRule, match="only its editors and admins"):
        check_pin(ANNA, ANNAS, shared, "e1")


def test_the_organisations_installation_may_be_pinned_anywhere() -> None:
    check_pin(ANNA, ANNAS, an_installation(), "e1")


def test_an_installation_of_another_entry_is_no_pin() -> None:
    with pytest.raises(BrokenRule, match="another entry"):
        check_pin(ADMIN, OPEN, an_installation(), "other")


@pytest.mark.parametrize("gateway", [OPEN, BENS])
def test_a_gateway_with_somebodys_own_credential_stays_theirs(gateway: GatewayFields) -> None:
    check_audience(ANNAS, {"clock": Person("anna")})
    check_audience(gateway, {})
    with pytest.raises(BrokenRule, match="clock is pinned to one"):
        check_audience(gateway, {"clock": Person("anna")})


NIGHTLYS = an_installation(owner=ServiceAccount("nightly"))
FOR_NIGHTLY = gateway_fields(allowed_clients=("nightly",))


def test_a_service_accounts_installation_is_pinned_where_that_client_alone_comes_in() -> None:
    check_pin(ADMIN, FOR_NIGHTLY, NIGHTLYS, "e1")
    for gateway in (OPEN, ANNAS, gateway_fields(allowed_clients=("nightly", "weekly"))):
        with pytest.raises(BrokenRule, match="only a gateway that lets in this client alone"):
            check_pin(ADMIN, gateway, NIGHTLYS, "e1")
    for caller in (ANNA, LENA, EDITOR):
        with pytest.raises(BrokenRule, match="needs oauth_client:update"):
            check_pin(caller, FOR_NIGHTLY, NIGHTLYS, "e1")


@pytest.mark.parametrize("gateway", [OPEN, ANNAS, gateway_fields(allowed_clients=("nightly", "weekly"))])
def test_a_gateway_with_a_service_accounts_own_credential_lets_in_nobody_else(gateway: GatewayFields) -> None:
    check_audience(FOR_NIGHTLY, {"clock": ServiceAccount("nightly")})
    with pytest.raises(BrokenRule, match="to whose installation clock is pinned") as broken:
        check_audience(gateway, {"clock": ServiceAccount("nightly")})
    assert broken.value.field == "allowed_clients"
