"""Rules that let jobs call as service accounts: which can be saved, and what fits them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from control.registry.broken_rule import BrokenRule
from control.registry.identity_provider import ServiceRule
from control.registry.job_rules import MAX_CLAIMS, MAX_SERVICE_RULES, check_service_rules, is_said, tells_whose

TEXTS = st.text(max_size=12)
FIXED = st.text(min_size=1, max_size=8).filter(lambda text: "*" not in text)


def rule(**claims: str) -> ServiceRule:
    return ServiceRule("c1", claims)


@pytest.mark.parametrize(
    "claims",
    [
        pytest.param({}, id="none"),
        pytest.param({"repository": ""}, id="an empty one"),
        pytest.param({"repository": "*"}, id="whatever it is"),
        pytest.param({"repository": "*/shop"}, id="another beginning"),
        pytest.param({"repository": "acme/*", "ref": "*"}, id="one of two is whatever it is"),
        pytest.param({"": "acme"}, id="no name"),
        pytest.param({f"c{number}": "x" for number in range(MAX_CLAIMS + 1)}, id="too many"),
    ],
)
def test_a_rule_that_would_fit_anybody_or_nobody_cannot_be_saved(claims: dict[str, str]) -> None:
    with pytest.raises(BrokenRule) as broken:
        check_service_rules([rule(ref="main"), ServiceRule("c1", claims)])
    assert broken.value.field == "service_rules[1].claims"


def test_only_so_many_rules_can_be_saved() -> None:
    check_service_rules([rule(ref="main")] * MAX_SERVICE_RULES)
    with pytest.raises(BrokenRule):
        check_service_rules([rule(ref="main")] * (MAX_SERVICE_RULES + 1))


@given(said=TEXTS, fixed=FIXED)
def test_a_value_fits_itself_and_with_a_star_whatever_begins_so_and_nothing_else(said: str, fixed: str) -> None:
    check_service_rules([rule(ref=fixed), rule(ref=f"{fixed}*")])
    assert is_said(said, fixed) is (said == fixed)
    assert is_said(said, f"{fixed}*") is said.startswith(fixed)
    assert is_said(fixed + said, f"{fixed}*")


@given(said=st.one_of(TEXTS, st.none(), st.integers(), st.booleans(), st.lists(TEXTS)), pattern=TEXTS)
def test_what_is_no_text_fits_nothing_and_nothing_fits_everything(said: object, pattern: str) -> None:
    assert not is_said(said, "*")
    assert not is_said(said, "")
    if not isinstance(said, str):
        assert not is_said(said, pattern)


@pytest.mark.parametrize(
    ("claims", "tells"),
    [
        ({"repository": "acme/shop"}, True),
        ({"repository": "acme/*"}, True),
        ({"repository": "acme*"}, False),
        ({"repository_owner": "acme"}, True),
        ({"repository_owner": "acme*"}, False),
        ({"project_id": "20"}, True),
        ({"sub": "repo:acme/shop:ref:refs/heads/main"}, True),
        ({"sub": "repo:acme/*"}, True),
        ({"sub": "repo:acme*"}, False),
        ({"sub": "repo:*"}, False),
        ({"sub": "project_path:acme/*"}, True),
        ({"sub": "system:serviceaccount:jobs:*"}, True),
        ({"ref": "refs/heads/main", "environment": "production"}, False),
    ],
)
def test_a_rule_tells_whose_job_it_is_where_it_names_the_owner_whole(claims: dict[str, str], *, tells: bool) -> None:
    assert tells_whose(rule(**claims)) is tells
