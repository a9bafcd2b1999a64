import pytest

from control.registry.broken_rule import BrokenRule
from control.registry.fields import Field
from control.registry.self_hosted import SelfHosted
from control.registry.server_url import origin_at, server_place, server_url, whole_url
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
    assert whole_url(an_entry("https://a.example/mcp")) == "https://a.example/mcp"
    assert server_url(an_entry("https://a.example/mcp"), {"a": "b"}, POLICY) == "https://a.example/mcp"


def test_an_entry_with_placeholders_has_none_before() -> None:
    assert whole_url(ENTRY) is None


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


RUN = an_entry(
    reached=SelfHosted(command=("npx", "-y", "files@1.0.0", "${user_config.folder}")),
    fields=(Field("folder", "string"), Field("key", "secret", variable="KEY")),
)


def test_a_server_that_we_run_has_no_url_of_its_own() -> None:
    assert (whole_url(RUN), server_url(RUN, {"folder": "/data"}, POLICY)) == (None, "")


def test_its_secrets_are_bound_to_image_and_command_with_the_answers_in_it() -> None:
    place = server_place(RUN, {"folder": "/my data"}, POLICY)
    assert place == "run:base npx -y files@1.0.0 '/my data'"
    assert origin_at(RUN, place) == place
    own_image = an_entry(reached=SelfHosted(transport="http", image="registry.test/a:1"))
    assert server_place(own_image, {}, POLICY) == "run:registry.test/a:1"


def test_an_answer_that_would_be_an_option_makes_no_command() -> None:
    with pytest.raises(BrokenRule, match=r"values\.folder: must not begin with '-'"):
        server_place(RUN, {"folder": "--config=/etc/passwd"}, POLICY)


def test_of_a_server_elsewhere_the_place_is_its_url() -> None:
    assert server_place(ENTRY, {"site": 7}, POLICY) == "https://eu.example.com/7"
    assert origin_at(ENTRY, "https://eu.example.com/7") == "https://eu.example.com"
