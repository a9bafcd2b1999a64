"""Lists and maps that are changed in parts, and what a replacement of the whole took away."""

import pytest

from archway.admin.body import BadOption, body_of
from archway.admin.entries import ENTRY_CHANGES
from archway.admin.environments import ENVIRONMENT
from archway.admin.gateways import GATEWAY_CHANGES
from archway.admin.identity_providers import PROVIDER
from archway.admin.lists import NotInPart, removed

SALES, SUPPORT = "01890000-0000-7000-8000-000000000001", "01890000-0000-7000-8000-000000000002"
NOW = {
    "header_allowlist": ["x-a", "x-b"],
    "labels": {"stage": "test", "team": "crm"},
    "egress": {"mode": "restricted", "cidrs": ["10.0.0.0/8"], "domains": ["a.example.com"], "ports": ["443"]},
    "teams": [SALES],
    "fixed_header_names": ["x-key"],
    "service_rules": [{"oauth_client_id": "c1", "claims": {"repository": "acme/*"}}],
}


class Api:
    def pages(self, path, **_):
        return iter([{"id": SALES, "name": "Sales"}, {"id": SUPPORT, "name": "Support"}])

    def get(self, path):
        return {"name": "Sales"} if path.endswith(SALES) else {"name": "Support"}


def changes(options=GATEWAY_CHANGES, **given):
    return body_of(Api(), options, given, None, NOW)


@pytest.mark.parametrize(
    ("given", "field", "value"),
    [
        ({"add_header": ["x-c"]}, "header_allowlist", ["x-a", "x-b", "x-c"]),
        ({"add_header": ["x-a", "X-B"]}, "header_allowlist", ["x-a", "x-b"]),
        ({"remove_header": ["x-a"]}, "header_allowlist", ["x-b"]),
        ({"remove_header": ["X-A", "x-b"]}, "header_allowlist", []),
        ({"add_header": ["x-c"], "remove_header": ["x-a"]}, "header_allowlist", ["x-b", "x-c"]),
        ({"add_label": ["stage=live"]}, "labels", {"stage": "live", "team": "crm"}),
        ({"add_label": ["tier=1"]}, "labels", {"stage": "test", "team": "crm", "tier": "1"}),
        ({"remove_label": ["stage"]}, "labels", {"team": "crm"}),
        ({"add_team": ["Support"]}, "teams", [SALES, SUPPORT]),
        ({"remove_team": ["Sales"], "add_team": ["Support"]}, "teams", [SUPPORT]),
        ({"allow_header": ["x-z"]}, "header_allowlist", ["x-z"]),
    ],
)
def test_a_part_is_added_or_removed_and_the_rest_stays(given, field, value):
    assert changes(**given) == {field: value}


@pytest.mark.parametrize(
    ("given", "egress"),
    [
        ({"cidr": [""]}, {"cidrs": []}),
        ({"add_cidr": ["192.0.2.0/24"]}, {"cidrs": ["10.0.0.0/8", "192.0.2.0/24"]}),
        ({"remove_domain": ["a.example.com"], "add_port": ["80"]}, {"domains": [], "ports": ["443", "80"]}),
        ({"egress": "restricted", "add_domain": ["b.example.com"], "remove_domain": ["a.example.com"]},
         {"mode": "restricted", "domains": ["b.example.com"]}),
    ],
)  # fmt: skip
def test_a_list_within_an_object_is_changed_in_parts_and_emptied(given, egress):
    assert changes(ENVIRONMENT.update, **given) == {"egress": egress}


def test_no_mode_at_all_is_no_policy():
    assert changes(ENVIRONMENT.update, egress="") == {"egress": None}
    with pytest.raises(BadOption, match="--domain has no place where --egress is ''"):
        changes(ENVIRONMENT.update, egress="", domain=["a.example.com"])


def test_a_list_within_an_object_is_replaced_or_changed_in_parts_and_what_went_is_told():
    with pytest.raises(BadOption, match="--cidr replaces the whole, and --add-cidr a part"):
        changes(ENVIRONMENT.update, cidr=["192.0.2.0/24"], add_cidr=["198.51.100.0/24"])
    after = NOW | {"egress": NOW["egress"] | {"cidrs": []}}
    (line,) = removed(Api(), ENVIRONMENT.update, {"cidr": [""]}, NOW, after)
    assert line == "--cidr replaces the whole. Removed: 10.0.0.0/8; --add-cidr would keep it"


def test_what_another_option_empties_is_told_by_name_and_without_a_cure_that_would_be_refused():
    before = NOW | {"presets": [SALES]}
    after = {"egress": {"mode": "off", "cidrs": [], "domains": [], "ports": ["443"]}, "presets": []}
    assert removed(Api(), ENVIRONMENT.update, {"egress": "off"}, before, after) == [
        "--cidr: gone with this: 10.0.0.0/8",
        "--domain: gone with this: a.example.com",
        "--preset: gone with this: Sales",
    ]


@pytest.mark.parametrize(
    "given", [{"remove_header": ["x-z"]}, {"remove_label": ["tier"]}, {"remove_team": ["Support"]}], ids=str
)
def test_what_is_not_there_is_not_silently_removed(given):
    with pytest.raises(NotInPart, match="there is no such; what is there:"):
        changes(**given)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"remove_team": ["Support"]}, "--remove-team Support: there is no such; what is there: Sales"),
        ({"remove_header": ["x-z"]}, "--remove-header x-z: there is no such; what is there: x-a, x-b"),
        ({"remove_label": ["tier"]}, "--remove-label tier: there is no such; what is there: stage, team"),
    ],
    ids=str,
)
def test_what_is_there_is_told_by_name(given, said):
    with pytest.raises(NotInPart) as refused:
        changes(**given)
    assert str(refused.value) == said


@pytest.mark.parametrize(
    "given",
    [
        {"allow_header": ["x-z"], "add_header": ["x-c"]},
        {"label": ["a=b"], "remove_label": ["stage"]},
        {"team": ["Sales"], "add_team": ["Support"]},
    ],
    ids=str,
)
def test_the_whole_and_a_part_at_once_are_refused(given):
    with pytest.raises(BadOption, match="give one of the two"):
        changes(**given)


@pytest.mark.parametrize(
    ("options", "given", "after", "line"),
    [
        (GATEWAY_CHANGES, {"allow_header": ["x-a"]}, {"header_allowlist": ["x-a"]},
         "--allow-header replaces the whole. Removed: x-b; --add-header would keep it"),
        (GATEWAY_CHANGES, {"label": ["stage=test"]}, {"labels": {"stage": "test"}},
         "--label replaces the whole. Removed: team; --add-label would keep it"),
        (GATEWAY_CHANGES, {"team": ["Support"]}, {"teams": [SUPPORT]},
         "--team replaces the whole. Removed: Sales; --add-team would keep it"),
        (ENTRY_CHANGES, {"header": ["x-other"]}, {"fixed_header_names": ["x-other"]},
         "--header replaces the whole. Removed: x-key"),
        (PROVIDER.update, {"service_rules": "[]"}, {"service_rules": []},
         "--service-rules replaces the whole. Removed: "
         '{"oauth_client_id": "c1", "claims": {"repository": "acme/*"}}'),
    ],
)  # fmt: skip
def test_a_replacement_says_what_it_removed(options, given, after, line):
    assert removed(Api(), options, given, NOW, {**NOW, **after}) == [line]


@pytest.mark.parametrize(
    ("given", "after"),
    [
        ({"remove_header": ["x-a"]}, {"header_allowlist": ["x-b"]}),
        ({"allow_header": ["x-a", "x-b", "x-c"]}, {"header_allowlist": ["x-a", "x-b", "x-c"]}),
        ({"name": "Other"}, {}),
    ],
    ids=str,
)
def test_nothing_is_said_where_nothing_went_that_was_not_named(given, after):
    assert removed(Api(), GATEWAY_CHANGES, given, NOW, {**NOW, **after}) == []
