"""An install link names whom it is for, and what it mends."""

from __future__ import annotations

import pytest

from control.registry.install_path import install_path, path_to_mend
from control.registry.owner import Organisation, Owner, Person, ServiceAccount, TeamOwner
from tests.fakes.registry import an_installation


@pytest.mark.parametrize(
    ("whose", "installation_id", "path"),
    [
        ("", "", "/install/crm"),
        ("user:u1", "", "/install/crm?as=user%3Au1"),
        ("", "i1", "/install/crm?installation=i1"),
        ("team:t1", "i 1&", "/install/crm?as=team%3At1&installation=i+1%26"),
    ],
)
def test_it_says_whom_it_is_for_and_which_installation_is_meant(whose: str, installation_id: str, path: str) -> None:
    assert install_path("crm", whose, installation_id) == path


@pytest.mark.parametrize(
    ("owner", "path"),
    [
        (Person("u1"), "/install/github?as=user%3Au1&installation=i1"),
        (TeamOwner("t1"), "/install/github?as=team%3At1&installation=i1"),
        (Organisation(), "/install/github?installation=i1"),
        (ServiceAccount("c1"), "/install/github?installation=i1"),
    ],
)
def test_an_installation_is_mended_by_its_owner_and_the_organisations_by_whoever_may(owner: Owner, path: str) -> None:
    assert path_to_mend(an_installation(owner=owner)) == path
