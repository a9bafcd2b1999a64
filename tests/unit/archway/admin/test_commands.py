"""Commands against a small admin API of our own: what they ask it, and what a person reads."""

from datetime import UTC, datetime, timedelta

import pytest
from typer.testing import CliRunner

from archway.admin_client import Problem
from archway.all_commands import app

ADA = {"id": "01890000-0000-7000-8000-000000000001", "email": "ada@example.com", "name": "Ada"}
TEAM = {"id": "01890000-0000-7000-8000-000000000002", "name": "Engines"}
DEMO = {
    "id": "01890000-0000-7000-8000-000000000003",
    "slug": "demo",
    "name": "Demo",
    "connect": {
        "url": "http://h/v1/mcp/demo",
        "transport": "streamable-http",
        "authorization": "Bearer <token>",
        "client_config": {"mcpServers": {"demo": {"url": "http://h/v1/mcp/demo"}}},
    },
}
RECORD = {"time": "t", "principal": f"user:{ADA['id']}", "gateway_id": DEMO["id"], "tool": "time__now"}


class Api:
    """Lists and objects by their paths; remembers what was asked."""

    def __init__(self):
        self.lists = {"/users": [ADA], "/teams": [TEAM], "/gateways": [DEMO], "/records": [RECORD], "/entries": []}
        self.asked = []

    def pages(self, path, **query):
        self.asked.append((path, query))
        return iter(self.lists.get(path, []))

    def post(self, path, body=None):
        self.asked.append((path, body))
        return {"id": DEMO["id"], **(body or {})}

    def get(self, path):
        kind, _, number = path.rpartition("/")
        for one in self.lists[kind]:
            if one["id"] == number:
                return one
        raise Problem(404, "Not Found")


@pytest.fixture
def api(monkeypatch):
    api = Api()
    monkeypatch.setattr("archway.admin.commands.connect", lambda _: api)
    monkeypatch.setattr("archway.admin.entries.connect", lambda _: api)
    return api


def run(*words):
    return CliRunner().invoke(app, list(words))


@pytest.mark.parametrize(
    ("typed", "asked"),
    [
        ("ada@example.com", f"user:{ADA['id']}"),
        ("Ada", f"user:{ADA['id']}"),
        ("team:Engines", f"team:{TEAM['id']}"),
        (f"user:{ADA['id']}", f"user:{ADA['id']}"),
        ("organisation", "organisation"),
        ("organization", "organisation"),
    ],
)
def test_records_are_listed_by_the_name_of_their_caller(api, typed, asked):
    assert run("records", "list", "--principal", typed).exit_code == 0
    assert api.asked[-1] == ("/records", {"principal": asked})


def test_a_caller_whom_nobody_knows_is_no_empty_list(api):
    done = run("records", "list", "--principal", "bob@example.com")

    assert done.exit_code == 1
    assert "archway users list" in done.output


def test_records_show_names_and_keep_the_identifier_of_what_was_deleted(api):
    api.lists["/records"] = [RECORD, {**RECORD, "principal": "user:gone"}]

    lines = run("records", "list").output.splitlines()

    assert "ada@example.com" in lines[1]
    assert "demo" in lines[1]
    assert "user:gone" in lines[2]


def test_a_gateway_is_shown_with_its_tools_and_with_how_to_connect(api):
    api.lists[f"/gateways/{DEMO['id']}/assignments"] = [{"exposed_name": "time__now", "entry_slug": "time"}]

    shown = run("gateways", "show", "demo").output

    assert "  URL            http://h/v1/mcp/demo" in shown.splitlines()
    assert '"mcpServers"' in shown
    assert "time__now" in shown


def test_a_tool_that_is_not_there_names_the_command_that_lists_tools(api):
    api.lists["/entries"] = [{"id": TEAM["id"], "slug": "mine", "name": "Mine"}]

    assert "`archway entries tools mine`" in run("entries", "quarantine", "mine", "nope").output


def test_an_assignment_that_is_not_there_names_the_command_with_its_gateway(api):
    output = run("assignments", "delete", "nope", "--gateway", "demo").output

    assert "`archway assignments list --gateway demo`" in output


def test_only_what_others_hang_on_is_deleted_with_cascade():
    assert "--cascade" in run("entries", "delete", "--help").output
    assert "--cascade" not in run("gateways", "delete", "--help").output


def test_help_says_which_options_are_needed_and_speaks_english():
    assert "(needed)" in run("entries", "create", "--help").output
    assert "Change an entry" in run("entries", "update", "--help").output
    assert "(needed)" not in run("entries", "update", "--help").output


def test_a_personal_gateway_is_made_for_the_person_who_is_named_by_address(api):
    words = ("--slug", "ada", "--name", "Ada's", "--visibility", "personal", "--owner", "ada@example.com")
    assert run("gateways", "create", *words, "--json").exit_code == 0
    body = {"slug": "ada", "name": "Ada's", "visibility": "personal", "owner_id": ADA["id"]}
    assert ("/gateways", body) in api.asked


@pytest.mark.parametrize(
    ("command", "option", "path", "query"),
    [
        ("gateways", "--label", "/gateways", {"label": "stage=test"}),
        ("teams", "--name", "/teams", {"name": "stage=test"}),
    ],
)
def test_a_list_is_narrowed_by_the_filters_that_the_api_has(api, command, option, path, query):
    assert run(command, "list", option, "stage=test").exit_code == 0
    assert api.asked == [(path, query)]


TOKENS = [
    {"id": "01890000-0000-7000-8000-00000000000a", "name": "laptop", "state": "revoked"},
    {"id": "01890000-0000-7000-8000-00000000000b", "name": "laptop", "state": "active"},
    {"id": "01890000-0000-7000-8000-00000000000c", "name": "ci", "state": "revoked"},
    {"id": "01890000-0000-7000-8000-00000000000d", "name": "twice", "state": "active"},
    {"id": "01890000-0000-7000-8000-00000000000e", "name": "twice", "state": "expired"},
]


@pytest.fixture
def tokens(api, monkeypatch):
    api.lists["/tokens"] = TOKENS
    monkeypatch.setattr("archway.admin.people.connect", lambda _: api)
    return api


@pytest.mark.parametrize(("name", "ending"), [("laptop", "b"), ("LAPTOP", "b"), ("ci", "c"), (TOKENS[0]["id"], "a")])
def test_a_revoked_token_is_no_candidate_for_being_revoked_while_another_has_its_name(tokens, name, ending):
    result = run("tokens", "revoke", name)
    assert result.exit_code == 0, result.output
    assert tokens.asked[-1] == (f"/tokens/01890000-0000-7000-8000-00000000000{ending}/revoke", None)


def test_several_tokens_that_hold_under_one_name_are_told_by_their_ids(tokens):
    result = run("tokens", "revoke", "twice")
    assert result.exit_code == 1
    assert TOKENS[3]["id"] in result.stderr
    assert TOKENS[4]["id"] in result.stderr


def test_all_tokens_of_a_user_are_revoked_and_counted(tokens):
    tokens.post = lambda path, body=None: tokens.asked.append((path, body)) or {"revoked": 3}
    result = run("tokens", "revoke", "--all-of", "ada@example.com")
    assert (result.exit_code, result.stdout) == (0, "3 tokens revoked\n")
    assert tokens.asked[-1] == (f"/users/{ADA['id']}/revoke-tokens", None)


@pytest.mark.parametrize("words", [(), ("laptop", "--all-of", "ada@example.com")])
def test_one_token_or_all_of_a_user_is_named(tokens, words):
    result = run("tokens", "revoke", *words)
    assert result.exit_code == 1
    assert "one of the two" in result.stderr


def test_a_token_ends_after_the_period_that_was_said(api):
    assert run("tokens", "create", "--name", "ci", "--expires-in", "90d").exit_code == 0
    (body,) = [body for path, body in api.asked if path == "/tokens"]
    left = datetime.fromisoformat(body["expires_at"]) - datetime.now(UTC)
    assert timedelta(days=89) < left <= timedelta(days=90)


@pytest.mark.parametrize("period", ["90", "90 days", "0d", "-1d", "1y"])
def test_a_period_that_is_none_is_told_the_form_by_its_option(api, period):
    result = run("tokens", "create", "--name", "ci", "--expires-in", period)
    assert result.exit_code == 1
    assert "--expires-in takes" in result.stderr


def test_a_period_and_a_moment_for_one_field_are_one_too_many(api):
    words = ["--expires-in", "90d", "--expires-at", "2027-01-31T00:00:00Z"]
    result = run("tokens", "create", "--name", "ci", *words)
    assert result.exit_code == 1
    assert "--expires-in and --expires-at say the same; give one of them" in result.stderr


WARNING = "crm__find: pinned to 'crm@Support' of the team 'Support', so Sales will call with that team's credential."


@pytest.mark.parametrize("form", [(), ("--json",), ("-o", "yaml"), ("-o", "wide")], ids=str)
def test_a_warning_of_the_api_is_said_on_standard_error_in_every_form(api, form):
    api.lists[f"/gateways/{DEMO['id']}/assignments"] = []
    api.post = lambda *_: {"items": [], "created": 0, "warnings": [WARNING]}

    words = ("assignments", "create", "--gateway", "demo", "--entry", "crm", "--tool", "find", *form)
    done = CliRunner().invoke(app, list(words))

    assert done.exit_code == 0
    assert done.stderr == f"warning: {WARNING}\n"


def test_a_change_says_its_warnings_and_what_it_removed_and_shows_neither_twice(api):
    before = {**DEMO, "header_allowlist": ["x-a", "x-b"]}
    api.read = lambda _: (before, '"1"')
    api.patch = lambda _path, body, version: {**before, **body, "warnings": [WARNING], "version": version}

    done = CliRunner().invoke(app, ["gateways", "update", "demo", "--allow-header", "x-a"])

    assert done.stderr.splitlines() == [
        "--allow-header replaces the whole. Removed: x-b; --add-header would keep it",
        f"warning: {WARNING}",
    ]
    assert "pinned to" not in done.stdout


def test_a_header_is_added_to_the_version_that_was_read(api):
    sent = []
    api.read = lambda _: ({**DEMO, "header_allowlist": ["x-a"]}, '"7"')
    api.patch = lambda path, body, version: sent.append((body, version)) or DEMO

    assert run("gateways", "update", "demo", "--add-header", "x-b").exit_code == 0
    assert sent == [({"header_allowlist": ["x-a", "x-b"]}, '"7"')]


def test_a_pin_that_is_none_is_the_callers(api):
    api.lists[f"/gateways/{DEMO['id']}/assignments"] = [{"exposed_name": "a", "installation_name": None}]

    assert "the caller's" in run("assignments", "list", "--gateway", "demo").output
    assert "the caller's" in run("gateways", "show", "demo").output


DISCOVERING = [("create", "--entry", DEMO["id"], "--scope", "organisation"), ("discover", "CRM")]


def installation(state, reason=""):
    return {"id": DEMO["id"], "name": "CRM", "address": "crm@Support", "state": state, "state_reason": reason}


@pytest.mark.parametrize(
    ("state", "reason", "told"),
    [
        ("unreachable", "crm cannot be reached.", "archway installations discover crm@Support"),
        ("credential_refused", "crm does not accept it.", "archway installations update crm@Support --credential"),
        ("needs_sign_in", "Its secrets cannot be opened.", "archway installations update crm@Support --credential"),
        ("new", "", "archway installations discover crm@Support"),
        ("unreachable", "crm answers 404. Check the path of the URL.", "archway entries update crm --url URL"),
        ("unreachable", "A web page. Check the path of the URL.", "Then: archway installations discover crm@Support"),
    ],
)
@pytest.mark.parametrize("form", [(), ("--json",)])
@pytest.mark.parametrize(
    "command", [("create", "--entry", DEMO["id"], "--scope", "organisation"), ("discover", "CRM")]
)
def test_an_installation_that_is_not_ready_ends_its_command_with_1_and_says_why(
    api, monkeypatch, command, form, state, reason, told
):
    made = installation(state, reason)
    monkeypatch.setattr(api, "post", lambda path, body=None: made)
    api.lists["/installations"] = [made]
    ended = run("installations", *command, *form)
    assert ended.exit_code == 1
    assert f"crm@Support is not ready ({state}): {reason}" in ended.stderr
    assert told in ended.stderr
    assert state in ended.stdout


@pytest.mark.parametrize(
    "command", [("create", "--entry", DEMO["id"], "--scope", "organisation"), ("discover", "CRM")]
)
def test_an_installation_that_is_ready_ends_its_command_well(api, monkeypatch, command):
    made = installation("ready")
    monkeypatch.setattr(api, "post", lambda path, body=None: made)
    api.lists["/installations"] = [made]
    ended = run("installations", *command)
    assert (ended.exit_code, ended.stderr) == (0, "")


@pytest.mark.parametrize(("options", "status"), [(("--name", "New"), 0), (("--protocol", "legacy"), 1)])
def test_a_change_that_asks_no_server_does_not_fail_for_its_state(api, monkeypatch, options, status):
    made = installation("unreachable", "crm cannot be reached.")
    api.lists["/installations"] = [made]
    monkeypatch.setattr(api, "read", lambda path: (made, "1"), raising=False)
    monkeypatch.setattr(api, "patch", lambda path, body, version=None: made, raising=False)
    assert run("installations", "update", "CRM", *options).exit_code == status


def test_what_differs_in_changed_tools_is_a_table(api):
    place = {"at": "description", "before": "Finds.", "after": "Finds, and sends."}
    changed = {"id": "1", "name": "find", "changed_at": "2026-01-01", "differences": [place]}
    same = {"id": "2", "name": "add", "changed_at": None, "differences": []}
    entry = {"id": TEAM["id"], "slug": "crm", "name": "CRM"}
    api.lists |= {"/entries": [entry], f"/entries/{TEAM['id']}/tools": [changed, same]}
    ended = run("entries", "changes", "crm")
    assert ended.exit_code == 0
    for word in ("find", "description", "Finds.", "Finds, and sends."):
        assert word in ended.stdout
    assert "add" not in ended.stdout


def test_a_changed_tool_is_acknowledged(api, monkeypatch):
    sent = []
    entry, tool = {"id": TEAM["id"], "slug": "crm", "name": "CRM"}, {"id": "1", "name": "find"}
    api.lists |= {"/entries": [entry], f"/entries/{TEAM['id']}/tools": [tool]}
    monkeypatch.setattr(api, "patch", lambda path, body: sent.append((path, body)) or tool, raising=False)
    assert run("entries", "acknowledge", "crm", "find").exit_code == 0
    assert sent == [(f"/entries/{TEAM['id']}/tools/1", {"acknowledged": True})]


@pytest.mark.parametrize("words", [("records", "gaps"), ("records", "gaps", "list")], ids=" ".join)
def test_gaps_of_records_are_listed_with_or_without_the_word_list(api, words):
    api.lists["/records/gaps"] = [{"worker": "w1", "dropped": 7}]

    done = CliRunner().invoke(app, [*words, "--worker", "w1"])

    assert done.exit_code == 0
    assert done.stdout.splitlines()[1].split() == ["w1", "7"]
    assert api.asked == [("/records/gaps", {"worker": "w1"})]


def test_a_moment_may_be_said_as_how_long_ago(api):
    assert run("records", "list", "--since", "1h").exit_code == 0
    since = datetime.fromisoformat(api.asked[0][1]["from"])
    assert timedelta(minutes=59) < datetime.now(UTC) - since < timedelta(minutes=61)


@pytest.mark.parametrize("text", ["yesterday", "1", "1 hour"])
def test_what_is_no_moment_is_told_both_forms(api, text):
    result = run("records", "list", "--since", text)
    assert result.exit_code == 1
    assert "--since takes how long ago, such as 90m" in result.stderr


def test_records_tell_the_server_and_whose_credential_and_why(api):
    api.lists["/entries"] = [{"id": "e1", "slug": "github"}]
    refused = {**RECORD, "entry_id": "e1", "installation_owner": f"team:{TEAM['id']}", "reason": "Because."}
    outside = {**RECORD, "gateway_id": "", "gateway_asked": "hidden"}
    signed_in = {**refused, "account": "octocat"}
    api.lists["/records"] = [refused, outside, signed_in]
    first, second, third = run("records", "list").stdout.splitlines()[1:]
    assert all(word in first for word in ("github", "team:Engines", "Because."))
    assert "hidden" in second
    assert "team:Engines as octocat" in third


@pytest.mark.parametrize("text", ["laptop", "r-1", ""])
def test_a_record_is_named_by_its_id(api, text):
    result = run("records", "show", text)
    assert result.exit_code == 1
    assert "the X-Request-Id of the answer" in result.stderr
