import io
import json

import pytest

from archway.admin.body import BadOption, body_of, principal
from archway.admin.entries import ENTRY_FIELDS
from archway.admin.installations import INSTALLATION
from archway.admin.resource import Option

MAP = Option("values", "", "map", flag="value")
SECRETS = Option("values", "", "secrets", flag="secret")
CREDENTIAL = Option("credential", "", "prompt")


def test_what_is_not_given_is_not_sent():
    assert body_of(None, ENTRY_FIELDS, {"slug": "time", "name": None, "label": []}, None) == {"slug": "time"}


def test_pairs_become_a_map_and_numbers_are_marked_as_such():
    body = body_of(None, (MAP,), {"value": ["region=eu", "limit:=5", "url=http://x/?a=b"]}, None)

    assert body == {"values": {"region": "eu", "limit": 5, "url": "http://x/?a=b"}}


@pytest.mark.parametrize("text", ["organisation", "organization"])
def test_an_owner_that_is_the_organisation_is_sent_as_none_in_either_spelling(text):
    assert body_of(None, ENTRY_FIELDS, {"slug": "time", "belongs_to": text}, None) == {
        "slug": "time",
        "team_id": None,
    }


def test_an_owner_that_is_a_team_is_found_by_its_name():
    class Api:
        def pages(self, path, **_):
            return iter([{"id": "t1", "name": "Platform"}] if path == "/teams" else [])

    assert body_of(Api(), ENTRY_FIELDS, {"belongs_to": "platform"}, None) == {"team_id": "t1"}


def test_a_service_account_is_found_by_its_name_as_a_caller_and_as_an_owner():
    class Api:
        def pages(self, path, **_):
            return iter([{"id": "c1", "name": "Nightly run"}] if path == "/oauth-clients" else [])

    assert principal(Api(), "service:nightly run") == "service:c1"
    given = {"scope": "service", "oauth_client": "nightly run"}
    assert body_of(Api(), INSTALLATION.create, given, None) == {"scope": "service", "oauth_client_id": "c1"}


def test_a_reference_that_is_given_empty_is_none():
    provider = Option("identity_provider_id", "", "reference", of="identity_provider", flag="identity_provider")
    assert body_of(None, (provider,), {"identity_provider": ""}, None) == {"identity_provider_id": None}


@pytest.mark.parametrize("text", ["region", "=eu", "limit:=many"])
def test_a_pair_that_is_none_is_refused_by_the_options_name(text):
    with pytest.raises(BadOption, match="--value"):
        body_of(None, (MAP,), {"value": [text]}, None)


def test_a_secret_comes_from_the_environment_beside_plain_answers(monkeypatch):
    monkeypatch.setenv("MY_KEY", "s3cret")

    body = body_of(None, (MAP, SECRETS), {"value": ["region=eu"], "value_from_env": ["api_key=MY_KEY"]}, None)

    assert body == {"values": {"region": "eu", "api_key": "s3cret"}}


def test_a_credential_from_the_environment_fills_its_own_field(monkeypatch):
    monkeypatch.setenv("MY_KEY", "s3cret")

    body = body_of(None, (MAP, SECRETS, CREDENTIAL), {"value_from_env": ["credential=MY_KEY"]}, None)

    assert body == {"credential": "s3cret"}


def test_a_variable_that_is_not_set_is_named():
    with pytest.raises(BadOption, match="NOT_SET_ANYWHERE is not set"):
        body_of(None, (SECRETS,), {"value_from_env": ["api_key=NOT_SET_ANYWHERE"]}, None)


def test_a_secret_is_never_read_from_a_pipe_by_accident(monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO("s3cret\n"))

    with pytest.raises(BadOption, match="--value-from-env api_key=VARIABLE"):
        body_of(None, (SECRETS,), {"secret": ["api_key"]}, None)


def test_options_win_over_the_file(tmp_path):
    (tmp_path / "entry.json").write_text('{"slug": "a", "name": "A"}')

    assert body_of(None, ENTRY_FIELDS, {"slug": "b"}, str(tmp_path / "entry.json")) == {"slug": "b", "name": "A"}


@pytest.mark.parametrize("text", ["{", "[]"])
def test_a_file_that_is_no_object_is_refused(tmp_path, text):
    (tmp_path / "entry.json").write_text(text)

    with pytest.raises(BadOption, match="--body"):
        body_of(None, ENTRY_FIELDS, {}, str(tmp_path / "entry.json"))


def test_options_of_one_object_fill_its_members_and_a_command_is_read_as_a_shell_reads_it():
    given = {
        "run_command": "npx -y 'a b' ${user_config.folder}", "transport": "stdio", "env": ["MODE=fast"],
        "cpu": "1", "memory_limit": "1Gi",
    }  # fmt: skip

    assert body_of(None, ENTRY_FIELDS, given, None) == {
        "run": {
            "command": ["npx", "-y", "a b", "${user_config.folder}"],
            "transport": "stdio",
            "environment": {"MODE": "fast"},
            "resources": {"cpu": "1", "memory_limit": "1Gi"},
        }
    }


def test_an_option_over_a_file_leaves_its_other_members(tmp_path):
    file = tmp_path / "entry.json"
    file.write_text('{"slug": "a", "run": {"command": ["x"], "resources": {"cpu": "1"}}}')

    body = body_of(None, ENTRY_FIELDS, {"memory": "1Gi"}, str(file))

    assert body["run"] == {"command": ["x"], "resources": {"cpu": "1", "memory": "1Gi"}}


def test_a_command_without_its_last_quote_is_refused():
    with pytest.raises(BadOption, match="--run-command takes a command as a shell reads it"):
        body_of(None, ENTRY_FIELDS, {"run_command": "npx 'a"}, None)


def test_a_secret_from_the_environment_says_whether_it_is_a_header_or_a_variable_of_what_runs(monkeypatch):
    monkeypatch.setenv("MY_KEY", "s3cret")

    given = {"value_from_env": ["run-secret.TOKEN=MY_KEY", "x-key=MY_KEY"]}
    body = body_of(None, ENTRY_FIELDS, given, None)

    assert body == {"run_secrets": {"TOKEN": "s3cret"}, "fixed_headers": {"x-key": "s3cret"}}


@pytest.mark.parametrize(("given", "sent"), [(9000.0, "9000"), (1.5, "1.5")])
def test_a_whole_number_is_sent_as_one(given, sent):
    assert str(body_of(None, ENTRY_FIELDS, {"port": given}, None)["run"]["port"]) == sent


@pytest.mark.parametrize("name", ["entry.yaml", "entry.yml", "entry", "entry.txt"])
def test_a_file_may_be_yaml(tmp_path, name):
    (tmp_path / name).write_text("slug: a\nlabels:\n  kind: demo\n")

    assert body_of(None, ENTRY_FIELDS, {}, str(tmp_path / name)) == {"slug": "a", "labels": {"kind": "demo"}}


def test_braces_are_json_unless_the_file_is_called_yaml(tmp_path):
    for name in ("entry", "entry.yaml"):
        (tmp_path / name).write_text("{slug: a}")

    assert body_of(None, ENTRY_FIELDS, {}, str(tmp_path / "entry.yaml")) == {"slug": "a"}
    with pytest.raises(BadOption, match="double quotes"):
        body_of(None, ENTRY_FIELDS, {}, str(tmp_path / "entry"))


def test_a_file_called_json_is_json(tmp_path):
    (tmp_path / "entry.json").write_text("slug: a")

    with pytest.raises(BadOption, match=r"entry\.json: Expecting value"):
        body_of(None, ENTRY_FIELDS, {}, str(tmp_path / "entry.json"))


def test_standard_input_may_be_either(monkeypatch):
    for text in ('{"slug": "a"}', "slug: a"):
        monkeypatch.setattr("sys.stdin", io.StringIO(text))
        assert body_of(None, ENTRY_FIELDS, {}, "-") == {"slug": "a"}


def test_json_may_be_as_large_as_a_request_and_yaml_is_smaller(tmp_path):
    many = "x" * 100_000
    for name, text in (("a", json.dumps({"slug": many})), ("b", f"slug: {many}"), ("c", " " * 2**20 + "{}")):
        (tmp_path / name).write_text(text)

    assert len(body_of(None, ENTRY_FIELDS, {}, str(tmp_path / "a"))["slug"]) == 100_000
    with pytest.raises(BadOption, match="larger than 64 KiB"):
        body_of(None, ENTRY_FIELDS, {}, str(tmp_path / "b"))
    with pytest.raises(BadOption, match="larger than 1 MiB"):
        body_of(None, ENTRY_FIELDS, {}, str(tmp_path / "c"))


def shown(tmp_path, **changes):
    """The body of a change whose file holds what was shown, but for this."""
    now = {"id": "e1", "slug": "a", "name": "A", "version": 3}
    (tmp_path / "entry.json").write_text(json.dumps(now | changes))
    return body_of(None, ENTRY_FIELDS, {}, str(tmp_path / "entry.json"), now)


def test_of_what_was_shown_only_what_can_be_changed_is_sent(tmp_path):
    assert shown(tmp_path, name="B") == {"slug": "a", "name": "B"}


def test_what_cannot_be_changed_and_was_changed_is_left_to_the_api_to_refuse(tmp_path):
    assert shown(tmp_path, id="e2", slag="b") == {"id": "e2", "slag": "b", "slug": "a", "name": "A"}


def test_a_new_one_is_sent_as_the_file_has_it(tmp_path):
    (tmp_path / "entry.yaml").write_text("slug: a\nversion: 3\n")

    assert body_of(None, ENTRY_FIELDS, {}, str(tmp_path / "entry.yaml")) == {"slug": "a", "version": 3}


def test_a_file_of_what_is_there_no_longer_is_refused(tmp_path):
    with pytest.raises(BadOption, match="somebody has changed it since"):
        shown(tmp_path, version=2)


def test_a_file_that_is_away_is_told_in_words(tmp_path):
    with pytest.raises(BadOption, match=r"^--body .*away\.json: No such file or directory$"):
        body_of(None, ENTRY_FIELDS, {}, str(tmp_path / "away.json"))
