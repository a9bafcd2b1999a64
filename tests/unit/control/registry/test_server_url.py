import pytest

from control.registry.broken_rule import BrokenRule
from control.registry.fields import Field
from control.registry.server_url import is_whole, server_url
from core.egress.addresses import AddressPolicy
from tests.fakes.registry import an_entry

POLICY = AddressPolicy()
ENTRY = an_entry(
    "https://{region}.example.com/{site}",
    fields=(
        Field("region", "select", options=("eu", "us"), default="eu"),
        Field("site", "number"),
        Field("key", "secret", "x-key"),
    ),
)


def test_an_entry_without_placeholders_has_its_url_whoever_installs_it() -> None:
    assert is_whole(an_entry("https://a.example/mcp"))
    assert server_url(an_entry("https://a.example/mcp"), {"a": "b"}, POLICY) == "https://a.example/mcp"


def test_an_entry_with_placeholders_has_none_before() -> None:
    assert not is_whole(ENTRY)


def test_answers_and_defaults_make_the_url() -> None:
    assert server_url(ENTRY, {"site": 7, "key": "s"}, POLICY) == "https://eu.example.com/7"
    assert server_url(ENTRY, {"region": "us", "site": 7.0}, POLICY) == "https://us.example.com/7"


@pytest.mark.parametrize(
    ("given", "path"),
    [({}, "values.site"), ({"site": "7"}, "values.site"), ({"region": "mars", "site": 7}, "values.region")],
)
def test_an_answer_that_does_not_fit_its_field_makes_none(given: dict[str, object], path: str) -> None:
    with pytest.raises(BrokenRule) as refused:
        server_url(ENTRY, given, POLICY)
    assert refused.value.field == path
