import pytest

from control.registry.oauth_client import principal_of
from control.registry.owner import (
    Organisation,
    Owner,
    Person,
    ServiceAccount,
    TeamOwner,
    owner_columns,
    owner_key,
    owner_of,
    token_owner_of,
)
from core.resolve import Principal


@pytest.mark.parametrize("owner", [Person("u1"), TeamOwner("t1"), Organisation(), ServiceAccount("c1")])
def test_an_owner_survives_its_columns(owner: Owner) -> None:
    _, *columns = owner_columns(owner)
    assert owner_of(*columns) == owner


@pytest.mark.parametrize("owner", [Person("u1"), TeamOwner("t1"), Organisation()])
def test_an_owner_of_a_token_survives_its_two_columns(owner: Owner) -> None:
    _, user_id, team_id, _ = owner_columns(owner)
    assert token_owner_of(user_id, team_id) == owner


def test_columns_name_the_scope_and_one_identifier() -> None:
    assert owner_columns(Person("u1")) == ("personal", "u1", None, None)
    assert owner_columns(TeamOwner("t1")) == ("team", None, "t1", None)
    assert owner_columns(Organisation()) == ("organisation", None, None, None)
    assert owner_columns(ServiceAccount("c1")) == ("service", None, None, "c1")


def test_an_owner_is_named_as_the_principal_that_it_is() -> None:
    assert owner_key(Person("u1")) == Principal("user", "u1", "Ann").key
    assert owner_key(TeamOwner("t1")) == Principal("team", "t1", "Ops").key
    assert owner_key(ServiceAccount("c1")) == principal_of("c1", "Nightly", "t1").key
    assert owner_key(Organisation()) == Principal("organisation", "organisation", "All").key
