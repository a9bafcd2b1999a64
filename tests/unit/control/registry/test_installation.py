from control.registry.installation import told_of_installation
from control.registry.owner import Person
from tests.fakes.registry import an_installation


def test_people_are_told_whose_it_is_in_the_words_of_the_admin_api() -> None:
    told = told_of_installation(an_installation(owner=Person("u1")))
    assert (told["scope"], told["user_id"], told["team_id"]) == ("personal", "u1", None)


def test_nobody_is_told_of_secrets_but_their_names() -> None:
    installation = an_installation(secret_values=b"s3aled", secret_names=("credential",))
    assert told_of_installation(installation)["secret_names"] == ["credential"]
    assert "s3aled" not in str(told_of_installation(installation))
    assert "s3aled" not in repr(installation)


def test_the_default_goes_by_its_entry_and_owner_and_another_by_its_name_behind_these() -> None:
    assert an_installation(owner_name="Support").address == "github@Support"
    assert an_installation(owner_name="Support", name="staging", is_default=False).address == "github@Support/staging"
