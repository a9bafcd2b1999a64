from __future__ import annotations

import pytest

from control.settings import ControlSettings, from_environment
from core.keys import BadKey, new_key
from core.settings import BadSetting
from tests.fakes.keys import shares_its_public_identifier

GIVEN = {
    "ARCHWAY_DATABASE_URL": "postgresql://u:hidden-word@127.0.0.1/a",
    "ARCHWAY_REDIS_URL": "redis://:hidden-word@127.0.0.1:6379/0",
    "ARCHWAY_SECRET_KEY": new_key(),
    "ARCHWAY_PROXY_KEY": new_key(),
    "ARCHWAY_SIGNING_KEY": new_key(),
    "ARCHWAY_PUBLIC_URL": "https://archway.test/",
}


def read(monkeypatch: pytest.MonkeyPatch, **changed: str) -> ControlSettings:
    for name, text in {**GIVEN, **{f"ARCHWAY_{name}": text for name, text in changed.items()}}.items():
        monkeypatch.setenv(name, text)
    return from_environment()


def test_six_settings_are_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = read(monkeypatch)
    assert (settings.base_url, settings.records_days) == ("https://archway.test", 30)
    assert settings.hosts == ("127.0.0.1", "::1", "localhost")


def test_the_settings_show_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = repr(read(monkeypatch))
    assert not any(text in shown for text in (*list(GIVEN.values())[:5], "hidden-word"))


@pytest.mark.parametrize("name", [name.removeprefix("ARCHWAY_") for name in GIVEN])
def test_each_of_the_six_is_missed_by_name(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises((BadSetting, BadKey), match=f"ARCHWAY_{name}"):
        read(monkeypatch, **{name: ""})


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("DATABASE_URL", "mysql://u:hidden-word@h/a"),
        ("REDIS_URL", "http://h"),
        ("PUBLIC_URL", "archway.test"),
        ("ISSUER_URL", "ftp://archway.test"),
        ("PROXY_INTERNAL_URL", "http://ok.test,nonsense"),
        ("ADMIN_LISTEN", "8080"),
        ("CONTROL_INTERNAL_LISTEN", "h:x"),
        ("CONTROL_PUBLIC_LISTEN", "h:x"),
        ("CONTROL_METRICS_LISTEN", "9401"),
        ("TRUSTED_PROXIES", "10.0.0.1/8"),
        ("RECORDS_DAYS", "0"),
        ("UPSTREAM_NETWORKS", "10.0.0.0/99"),
        ("RUN_TOKEN_SHA256", "hidden-word"),
        ("RUNTIME", "docker"),
        ("SERVERS_NAMESPACE", "Tools_"),
        ("SERVERS_NAMESPACES", "tools,Tools_"),
        ("SERVERS_NAMESPACES", "tools,,tools-b"),
        ("SERVERS_NAMESPACES", ",".join(f"tools-{number}" for number in range(21))),
        ("SERVERS_NODE_SELECTOR", "pool=tools"),
        ("SERVERS_NODE_SELECTOR", '{"pool": 1}'),
        ("SERVERS_TOLERATIONS", '{"key": "tools"}'),
    ],
)
def test_a_bad_value_is_refused_by_name_and_not_repeated(
    name: str, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(BadSetting, match=f"^ARCHWAY_{name}") as refused:
        read(monkeypatch, **{name: text})
    assert "hidden-word" not in str(refused.value)


def test_one_key_for_two_purposes_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(BadKey, match="ARCHWAY_PROXY_KEY and ARCHWAY_SECRET_KEY"):
        read(monkeypatch, PROXY_KEY=GIVEN["ARCHWAY_SECRET_KEY"])


def test_signing_keys_that_proxies_could_not_tell_apart_are_refused_at_the_start(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    old = GIVEN["ARCHWAY_SIGNING_KEY"]
    with pytest.raises(BadKey, match="ARCHWAY_SIGNING_KEY: the public halves share an identifier"):
        read(monkeypatch, SIGNING_KEY=f"{shares_its_public_identifier(old)},{old}")


def test_peoples_pages_are_at_the_public_url_unless_it_is_said_where(monkeypatch: pytest.MonkeyPatch) -> None:
    assert read(monkeypatch).pages_url == "https://archway.test"
    assert read(monkeypatch, ISSUER_URL="https://sign-in.test/").pages_url == "https://sign-in.test"


def test_the_listener_for_people_answers_under_the_names_of_its_urls(monkeypatch: pytest.MonkeyPatch) -> None:
    assert read(monkeypatch).people_hosts == ("archway.test",)
    there = read(monkeypatch, ISSUER_URL="https://Sign-In.test", ALLOWED_HOSTS="Other.test")
    assert there.people_hosts == ("archway.test", "other.test", "sign-in.test")
    here = read(monkeypatch, PUBLIC_URL="http://127.0.0.1:8400", ISSUER_URL="", ALLOWED_HOSTS="")
    assert here.people_hosts == ("127.0.0.1", "::1", "localhost")


def test_nobodys_word_on_addresses_is_believed_unless_it_is_said_whose(monkeypatch: pytest.MonkeyPatch) -> None:
    assert read(monkeypatch).proxies == ()
    assert [str(one) for one in read(monkeypatch, TRUSTED_PROXIES="10.0.0.0/8, ::1/128").proxies] == [
        "10.0.0.0/8", "::1/128",
    ]  # fmt: skip


CLUSTER = {"RUNTIME": "cluster", "SERVERS_NAMESPACE": "tools", "RELEASE_NAMESPACE": "archway", "BASE_IMAGE": "base:1"}


def test_where_servers_run_is_read_from_json(monkeypatch: pytest.MonkeyPatch) -> None:
    given = {"SERVERS_NODE_SELECTOR": '{"pool": "tools"}', "SERVERS_TOLERATIONS": '[{"operator": "Exists"}]'}
    settings = read(monkeypatch, **CLUSTER, **given)
    assert (settings.node_selector, settings.tolerations) == ({"pool": "tools"}, [{"operator": "Exists"}])


@pytest.mark.parametrize("name", ["SERVERS_NAMESPACE", "RELEASE_NAMESPACE", "BASE_IMAGE"])
def test_a_cluster_is_not_used_half_told(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(BadSetting, match=f"ARCHWAY_{name}"):
        read(monkeypatch, **{**CLUSTER, name: ""})


def test_servers_run_in_all_namespaces_that_are_named_or_in_the_one_that_a_version_before_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert read(monkeypatch, **CLUSTER).namespaces == ("tools",)
    both = read(monkeypatch, **CLUSTER, SERVERS_NAMESPACES="tools-b, tools,tools-b")
    assert both.namespaces == both.cluster_namespaces == ("tools-b", "tools")
    assert read(monkeypatch, RUNTIME="").cluster_namespaces == ()


def test_processes_need_a_folder_and_users_that_are_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    assert read(monkeypatch, RUNTIME="process", SERVERS_FOLDER="/srv", SERVERS_USERS="5-7").users == range(5, 8)
    with pytest.raises(BadSetting, match="ARCHWAY_SERVERS_FOLDER"):
        read(monkeypatch, RUNTIME="process", SERVERS_FOLDER="")
    for users in ("root", "0-9", "9-5", "1-4294967295", "7"):
        with pytest.raises(BadSetting, match="ARCHWAY_SERVERS_USERS"):
            read(monkeypatch, RUNTIME="", SERVERS_USERS=users)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("CLUSTER_DNS", "kube-dns"),
        ("CLUSTER_DNS", "169.254.169.254"),
        ("EGRESS_NEVER", "10.0.0.1/8"),
        ("EGRESS_NEVER", "169.254.0.0/16"),
        ("EGRESS_PROVIDER", "calico"),
    ],
)
def test_what_is_said_of_egress_in_a_cluster_is_read_at_the_start(
    monkeypatch: pytest.MonkeyPatch, name: str, text: str
) -> None:
    with pytest.raises(BadSetting, match=f"ARCHWAY_{name}"):
        read(monkeypatch, **{name: text})


def test_networks_and_name_servers_of_a_cluster_are_named_in_lists(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = read(
        monkeypatch, CLUSTER_DNS="kube-system/k8s-app=kube-dns,10.0.0.10", EGRESS_NEVER="10.0.0.0/8 fd00::/16"
    )
    assert settings.named_dns is not None
    assert settings.named_dns.addresses == ("10.0.0.10",)
    assert [str(one) for one in settings.never_reached] == ["10.0.0.0/8", "fd00::/16"]
