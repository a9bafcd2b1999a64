"""Names in the place of identifiers."""

import pytest

from archway.admin.names import (
    with_callers_and_servers,
    with_egress,
    with_objects,
    with_owners,
    with_pins,
    with_token_owners,
    with_users,
)
from archway.admin_client import Problem

TEAMS, USERS, CLIENTS = {"t1": "Sales", "t2": "Support"}, {"u1": "ada@example.com"}, {"c1": "Nightly"}
GATEWAYS, PRESETS = {"g1": "sales"}, {"p1": "GitHub"}


class Api:
    def __init__(self):
        self.asked = []

    def get(self, path):
        self.asked.append(path)
        _, kind, number = path.split("/")
        kinds = {"teams": TEAMS, "users": USERS, "oauth-clients": CLIENTS, "gateways": GATEWAYS}
        known = (kinds | {"egress-presets": PRESETS})[kind]
        if number not in known:
            raise Problem(404, "Not Found")
        return dict.fromkeys(("name", "email", "slug"), known[number])


def owners(*items):
    return [one["owner"] for one in with_owners(Api(), items)]


def test_the_team_whose_own_an_entry_is_is_named():
    (entry,) = with_owners(Api(), [{"team_id": "t1", "visibility": "teams", "teams": ["t1"]}])
    assert (entry["team_id"], entry["owner"]) == ("Sales", "Sales")


def test_what_is_seen_by_teams_a_person_or_everybody_says_so_by_name():
    assert owners(
        {"visibility": "teams", "teams": ["t1", "t2"]},
        {"visibility": "personal", "owner_id": "u1", "teams": []},
        {"visibility": "organisation", "teams": []},
    ) == ["Sales, Support", "ada@example.com", "organisation"]


def test_who_is_gone_or_not_to_be_seen_keeps_the_identifier():
    assert owners({"visibility": "teams", "teams": ["t1", "t9"]}, {"visibility": "personal", "owner_id": "u9"}) == [
        "Sales, t9",
        "u9",
    ]


def test_each_name_is_asked_for_once():
    api = Api()
    with_owners(api, [{"visibility": "teams", "teams": ["t1", "t2"]}] * 3)
    assert api.asked == ["/teams/t1", "/teams/t2"]


def test_a_token_of_nobody_in_particular_is_the_organisations():
    assert [one["owner"] for one in with_token_owners(None, [{"owner": "Ada"}, {"owner": ""}])] == [
        "Ada",
        "organisation",
    ]


def test_a_tool_that_is_not_pinned_is_called_with_the_callers_installation():
    rows = with_pins(None, [{"installation_name": "crm@Support"}, {"installation_name": None}])
    assert [one["installation_name"] for one in rows] == ["crm@Support", "the caller's"]


def test_a_line_of_the_audit_trail_says_what_the_object_was_called():
    lines = [
        {"after": {"slug": "crm", "name": "CRM"}, "before": None},
        {"after": None, "before": {"email": "ada@example.com", "name": "Ada"}},
        {"after": {"name": "Support"}, "before": {"name": "Help"}},
        {"after": {"exposed_name": "crm__find"}, "before": None},
        {"after": {"address": "crm@Support", "name": "Ours"}, "before": None},
        {"after": None, "before": None},
    ]
    assert [one["object"] for one in with_objects(None, lines)] == [
        "crm", "ada@example.com", "Support", "crm__find", "crm@Support", "",
    ]  # fmt: skip


def test_a_tool_in_the_audit_trail_is_told_with_its_entry():
    tools = [
        {
            "object_kind": "tool",
            "action": "update",
            "after": {"entry": "time", "name": "now", "state": "quarantined"},
        },
        {"object_kind": "tool", "action": "update", "after": {"entry": "crm", "name": "find", "differences": []}},
        {"object_kind": "tool", "action": "update", "after": {"state": "active"}},  # of an older version
    ]
    assert [one["object"] for one in with_objects(None, tools)] == ["time/now", "crm/find", ""]


def test_a_question_of_explain_in_the_audit_trail_is_told_by_the_call_and_its_subject():
    after = {"subject": "user:ada@example.com", "by": "token", "tool": "crm__find"}
    line = {"object_kind": "gateway", "object_id": "g1", "action": "explain", "after": after}
    (told,) = with_objects(Api(), [line])
    assert told["object"] == "sales crm__find as user:ada@example.com"


@pytest.mark.parametrize("address", ["time@organisation", "time@Field Sales", "time@ada@example.com"])
def test_a_discovery_in_the_audit_trail_is_told_by_its_entry(address):
    line = {"object_kind": "entry", "action": "discover", "after": {"installation": address, "added": ["now"]}}
    assert [one["object"] for one in with_objects(None, [line])] == ["time"]


def test_a_browser_session_and_what_happened_to_it_are_told_by_whose_they_are():
    (session,) = with_users(Api(), [{"user_id": "u1"}])
    assert session["user"] == "ada@example.com"
    lines = with_objects(
        Api(),
        [
            {"object_kind": "session", "after": {"user_id": "u1", "address": "192.0.2.1"}},
            {"object_kind": "password", "before": {"user_id": "u9"}},
        ],
    )
    assert [one["object"] for one in lines] == ["ada@example.com", "u9"]


def test_a_service_account_that_called_and_whose_credential_it_got_are_told_by_its_name():
    record = {"principal": "service:c1", "installation_owner": "service:c1"}
    (told,) = with_callers_and_servers(Api(), [record])
    assert (told["principal"], told["credential"]) == ("service:Nightly", "service:Nightly")
    (gone,) = with_callers_and_servers(Api(), [{"principal": "service:c9"}])
    assert gone["principal"] == "service:c9"


def test_an_environment_says_what_it_lets_servers_reach_and_names_its_presets():
    told = with_egress(Api(), [{"egress": {"mode": "restricted"}, "presets": ["p1", "p9"]}, {"egress": None}])
    assert [(one["egress_mode"], one["presets"]) for one in told] == [
        ("restricted", ["GitHub", "p9"]),
        ("no policy", []),
    ]


def test_who_put_an_entry_into_its_environment_is_named():
    (entry,) = with_owners(Api(), [{"visibility": "organisation", "placed_by": "u1"}])
    assert entry["placed_by"] == "ada@example.com"


def test_amounts_that_an_environment_does_not_say_are_left_out():
    said = {"resources": {"cpu": "", "memory": "1Gi"}, "quota": {"servers": 0, "cpu": "", "memory": ""}}
    (shown,) = with_egress(Api(), [said])
    assert (shown["resources"], shown["quota"]) == ({"memory": "1Gi"}, {})
