from typing import Any

import pytest

from control.registry.broken_rule import BrokenRule
from control.registry.pull_secret import (
    KeptPullSecret,
    WantedPullSecret,
    check_pull_secret,
    pull_secret_with,
    told_of_pull_secret,
)
from tests.fakes.registry import MADE_AT

REGISTRY: dict[str, Any] = {"name": "Ours", "registry": "Registry.Example:5000", "username": "robot"}
KEPT = KeptPullSecret(
    **{**REGISTRY, "registry": "registry.example:5000"}, team_id="t1", password=b"sealed", created_by=None,
    id="p1", created_at=MADE_AT, updated_at=MADE_AT, version=1,
)  # fmt: skip


def test_a_registrys_host_is_kept_in_lower_case() -> None:
    assert check_pull_secret(WantedPullSecret(**REGISTRY, password="s3cr3t")).registry == "registry.example:5000"


def test_nobody_is_told_the_password() -> None:
    assert "password" not in told_of_pull_secret(KEPT)
    assert "s3cr3t" not in repr(WantedPullSecret(**REGISTRY, password="s3cr3t"))
    assert "sealed" not in repr(KEPT)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"registry": ""}, "registry"),
        ({"registry": "https://registry.example"}, "registry"),
        ({"registry": "registry.example/team"}, "registry"),
        ({"registry": "robot@registry.example"}, "registry"),
        ({"registry": "registry.example\n"}, "registry"),
        ({"username": ""}, "username"),
        ({"username": "a:b"}, "username"),
        ({"username": "a\nb"}, "username"),
        ({"password": None}, "password"),
        ({"password": ""}, "password"),
        ({"password": "s3cr3t\n"}, "password"),
        ({"password": "s3cr3t" * 700}, "password"),
        ({"secret_name": "mirror"}, "secret_name"),
        ({"kind": "cluster", "secret_name": "mirror"}, "registry"),
    ],
)
def test_what_no_registry_would_take_is_refused_at_its_field(changes: dict[str, Any], field: str) -> None:
    with pytest.raises(BrokenRule) as refused:
        check_pull_secret(WantedPullSecret(**{**REGISTRY, "password": "s3cr3t", **changes}))
    assert refused.value.field == field
    assert "s3cr3t" not in str(refused.value)


@pytest.mark.parametrize("name", ["mirror", "team-a.pull", "0a"])
def test_one_of_the_cluster_is_a_name_alone(name: str) -> None:
    wanted = WantedPullSecret(name="Mirror", kind="cluster", secret_name=name)
    assert check_pull_secret(wanted) == wanted


@pytest.mark.parametrize("name", ["", "Mirror", "../mirror", "a_b", "-a", "a" * 254, "a\n"])
def test_what_names_no_secret_of_a_cluster_is_refused(name: str) -> None:
    with pytest.raises(BrokenRule, match="secret_name: must be the name of a Kubernetes secret"):
        check_pull_secret(WantedPullSecret(name="Mirror", kind="cluster", secret_name=name))


def test_a_password_stays_and_goes_to_no_other_registry_or_user() -> None:
    assert check_pull_secret(pull_secret_with(KEPT, {"name": "Other"}), KEPT).password is None
    for changes in ({"registry": "evil.example"}, {"username": "other"}):
        with pytest.raises(BrokenRule, match="password: is needed"):
            check_pull_secret(pull_secret_with(KEPT, changes), KEPT)


def test_kind_and_team_are_settled_but_the_organisation_may_take_it_over() -> None:
    assert check_pull_secret(pull_secret_with(KEPT, {"team_id": None}), KEPT).team_id is None
    for changes in ({"team_id": "t2"}, {"kind": "cluster"}):
        with pytest.raises(BrokenRule, match="is settled when a pull secret is made"):
            check_pull_secret(pull_secret_with(KEPT, changes), KEPT)
