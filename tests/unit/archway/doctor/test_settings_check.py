import pytest

from archway.doctor.settings_check import check_needed, check_settings
from core.keys import new_key


def wrong(environment):
    return [finding.what for finding in check_settings(environment) if finding.wrong]


def test_settings_that_fit_have_no_findings():
    assert check_settings({"ARCHWAY_PUBLIC_URL": "https://mcp.example.com", "ARCHWAY_WORKERS": "4"}) == []


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("ARCHWAY_WORKERS", "many"),
        ("ARCHWAY_WORKERS", "0"),
        ("ARCHWAY_PROXY_LISTEN", "8080"),
        ("ARCHWAY_PUBLIC_URL", "mcp.example.com"),
        ("ARCHWAY_PUBLIC_URL", "https://mcp.example.com:port"),
        ("ARCHWAY_DATABASE_URL", "mysql://db/x"),
        ("ARCHWAY_REDIS_URL", "http://redis"),
        ("ARCHWAY_UPSTREAM_NETWORKS", "10.0.0.0/33"),
        ("ARCHWAY_CA_BUNDLE", "/no/such/file"),
    ],
)
def test_a_value_of_the_wrong_form_is_named_by_its_variable(name, text):
    (finding,) = wrong({name: text})

    assert name in finding


@pytest.mark.parametrize(
    ("name", "text", "sentence"),
    [
        ("ARCHWAY_MAX_BODY", "lots", "ARCHWAY_MAX_BODY must be a whole number from 1 to 1099511627776; got 'lots'"),
        ("ARCHWAY_SOFT_AGE", "soon", "ARCHWAY_SOFT_AGE must be a number of seconds above 0 to 86400; got 'soon'"),
        ("ARCHWAY_WORKERS", "0", "ARCHWAY_WORKERS must be a whole number from 1 to 256; got '0'"),
    ],
)
def test_a_number_that_is_none_is_shown_with_what_it_may_be(name, text, sentence):
    assert wrong({name: text}) == [sentence]


@pytest.mark.parametrize(
    ("name", "text", "schemes"),
    [
        ("ARCHWAY_PUBLIC_URL", "mcp.example.com", "https:// or http://"),
        ("ARCHWAY_CONTROL_INTERNAL_URL", "control:8402", "https:// or http://"),
        ("ARCHWAY_PROXY_INTERNAL_URL", "proxy.internal", "https:// or http://"),
        ("ARCHWAY_REDIS_URL", "http://redis", "redis:// or rediss:// or unix://"),
        ("ARCHWAY_DATABASE_URL", "mysql://db", "postgresql:// or postgres://"),
    ],
)
def test_a_url_that_begins_otherwise_is_told_all_that_it_may_begin_with(name, text, schemes):
    """Who is told `http://` alone would turn TLS off."""
    assert wrong({name: text}) == [f"{name} must begin with {schemes}"]


def test_settings_that_clash_only_with_each_other_are_found():
    assert wrong({"ARCHWAY_SOFT_AGE": "7200"}) == ["ARCHWAY_SOFT_AGE must not be above ARCHWAY_MAX_STALE"]


def test_one_mistake_is_told_once():
    assert len(wrong({"ARCHWAY_PUBLIC_URL": "mcp.example.com", "ARCHWAY_SOFT_AGE": "x"})) == 2


def test_a_misspelt_setting_is_told_what_it_may_have_meant():
    (finding,) = check_settings({"ARCHWAY_PUBLIC_ULR": "https://mcp.example.com"})

    assert "ARCHWAY_PUBLIC_URL" in finding.cure


def test_a_password_in_a_bad_url_is_not_repeated():
    findings = check_settings({"ARCHWAY_DATABASE_URL": "mysql://user:hunter2@db/x"})

    assert "hunter2" not in "".join(finding.line for finding in findings)


def test_a_short_key_is_found():
    assert wrong({"ARCHWAY_PROXY_KEY": "AAAA"}) == [
        "ARCHWAY_PROXY_KEY has 3 bytes instead of 32; make one with `archway keys new`"
    ]


def test_one_key_in_two_settings_is_found():
    key = new_key()

    (finding,) = wrong({"ARCHWAY_PROXY_KEY": key, "ARCHWAY_SECRET_KEY": key})

    assert "hold the same key" in finding


def test_other_peoples_variables_are_none_of_our_business():
    assert check_settings({"PATH": "/bin", "HTTP_PROXY": "nonsense"}) == []


@pytest.mark.parametrize(
    ("environment", "found"),
    [
        ({}, []),
        ({"ARCHWAY_PROXY_KEY": "x", "ARCHWAY_REDIS_URL": "redis://redis"}, []),
        (
            {"ARCHWAY_SECRET_KEY": "x", "ARCHWAY_SIGNING_KEY": "x", "ARCHWAY_PUBLIC_URL": "http://a"},
            ["not set: ARCHWAY_DATABASE_URL, ARCHWAY_REDIS_URL, ARCHWAY_PROXY_KEY"],
        ),
        (
            {"ARCHWAY_VERIFY_KEYS": "x", "ARCHWAY_PROXY_KEY": "x", "ARCHWAY_REDIS_URL": " "},
            ["not set: ARCHWAY_REDIS_URL, ARCHWAY_CONTROL_INTERNAL_URL, ARCHWAY_PUBLIC_URL"],
        ),
    ],
    ids=["nothing", "what both take", "control", "proxy"],
)
def test_a_plane_whose_keys_are_set_is_told_what_it_does_not_start_without(
    environment: dict[str, str], found: list[str]
) -> None:
    assert [finding.what for finding in check_needed(environment)] == found
