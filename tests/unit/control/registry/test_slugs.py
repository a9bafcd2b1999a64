import pytest

from control.registry.broken_rule import BrokenRule
from control.registry.slugs import check_slug

AN_ID = "01a1fc0e-f51c-7acb-8100-1a6964f3ad04"


@pytest.mark.parametrize("slug", ["a", "github", "0-0", "a" * 63])
def test_a_dns_label_is_a_slug(slug: str) -> None:
    assert check_slug(slug) == slug


@pytest.mark.parametrize("slug", ["", "-a", "a-", "A", "a_b", "a.b", "a" * 64, "a\n", AN_ID])
def test_what_is_none_or_looks_like_an_identifier_is_refused(slug: str) -> None:
    with pytest.raises(BrokenRule, match="slug"):
        check_slug(slug)
