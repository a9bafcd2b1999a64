"""The first setup against a small admin API of its own: what it makes, once, and what it leaves alone afterwards."""

import pytest

from archway.admin_client import Problem
from archway.up.first_setup import Gone, finished, set_up


class Api:
    """Remembers what was posted; lists it again."""

    def __init__(self):
        self.things = {"/entries": [], "/installations": [], "/gateways": [], "/users": [], "/tokens": []}
        self.calls = []
        self.fails_at = None

    def pages(self, path):
        return iter(list(self.things.setdefault(path, [])))

    def get(self, path):
        kind, _, wanted = path.rpartition("/")
        for thing in self.things[kind]:
            if thing["id"] == wanted:
                return thing
        raise Problem(404, "There is nothing here")

    def post(self, path, body=None):
        if path == "/tokens/identify":
            return {"token": next(iter(self.things["/tokens"]), None)}
        self.calls.append(("POST", path))
        if path == self.fails_at:
            raise Problem(503, "away")
        if path.endswith("/assignments"):
            self.things[path] = [{"exposed_name": "time__convert_time"}, {"exposed_name": "time__get_current_time"}]
            return {"items": self.things[path]}
        made = {
            **(body or {}),
            "id": f"{path.strip('/')}-{len(self.things[path])}",
            "state": "active" if path == "/tokens" else "ready",
        }
        self.things[path].append(made)
        return {**made, "secret": "arch_secret"} if path == "/tokens" else made

    def patch(self, path, body):
        self.calls.append(("PATCH", path))
        thing = self.get(path)
        thing.update(body)
        return thing


@pytest.fixture
def api():
    return Api()


def test_the_first_start_makes_everything_that_a_first_call_needs(api, tmp_path):
    setup = set_up(api, tmp_path / "setup.json", "http://127.0.0.1:1/mcp")

    assert (setup.gateway_path, setup.token, setup.tool) == ("/v1/mcp/demo", "arch_secret", "time__get_current_time")


def test_a_later_start_makes_nothing_and_knows_the_token_still(api, tmp_path):
    first = set_up(api, tmp_path / "setup.json", "http://127.0.0.1:1/mcp")
    api.calls.clear()

    assert set_up(api, tmp_path / "setup.json", "http://127.0.0.1:1/mcp") == first
    assert api.calls == []


def test_the_entry_follows_the_demo_to_another_port(api, tmp_path):
    set_up(api, tmp_path / "setup.json", "http://127.0.0.1:1/mcp")

    set_up(api, tmp_path / "setup.json", "http://127.0.0.1:2/mcp")

    assert api.things["/entries"][0]["url"] == "http://127.0.0.1:2/mcp"


@pytest.mark.parametrize("step", ["/installations", "/gateways", "/users", "/tokens"])
def test_a_start_that_was_broken_off_is_finished_by_the_next_without_duplicates(api, tmp_path, step):
    api.fails_at = step
    with pytest.raises(Problem):
        set_up(api, tmp_path / "setup.json", "http://127.0.0.1:1/mcp")
    api.fails_at = None

    set_up(api, tmp_path / "setup.json", "http://127.0.0.1:1/mcp")

    kinds = ("/entries", "/installations", "/gateways", "/users", "/tokens")
    assert [len(api.things[kind]) for kind in kinds] == [1, 1, 1, 1, 1]


def test_what_people_deleted_is_not_made_again(api, tmp_path):
    set_up(api, tmp_path / "setup.json", "http://127.0.0.1:1/mcp")
    for things in api.things.values():
        things.clear()

    set_up(api, tmp_path / "setup.json", "http://127.0.0.1:2/mcp")

    assert api.things["/entries"] == []


def test_the_first_token_is_a_members_and_opens_no_admin_api(api, tmp_path):
    set_up(api, tmp_path / "setup.json", "http://127.0.0.1:1/mcp")

    (user,), (token,) = api.things["/users"], api.things["/tokens"]
    assert (user["role"], token["user_id"]) == ("member", user["id"])


def _delete_gateway(api):
    api.things["/gateways"].clear()


def _delete_token(api):
    api.things["/tokens"].clear()


def _revoke_token(api):
    api.things["/tokens"][0]["state"] = "revoked"


def _take_tools_off(api):
    next(things for path, things in api.things.items() if path.endswith("/assignments")).clear()


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (_delete_gateway, "the demo gateway was deleted"),
        (_delete_token, "the token of the first call was deleted"),
        (_revoke_token, "the token of the first call is revoked"),
        (_take_tools_off, "the tool time__get_current_time was taken off the demo gateway"),
    ],
)
def test_a_later_start_says_what_is_gone_and_shows_none_of_it(api, tmp_path, change, what):
    set_up(api, tmp_path / "setup.json", "http://127.0.0.1:1/mcp")
    change(api)

    assert set_up(api, tmp_path / "setup.json", "http://127.0.0.1:1/mcp") == Gone(what)
    assert finished(api, tmp_path / "setup.json") == Gone(what)


def test_a_gateway_that_was_renamed_is_shown_at_its_new_address(api, tmp_path):
    set_up(api, tmp_path / "setup.json", "http://127.0.0.1:1/mcp")
    api.things["/gateways"][0]["slug"] = "shown"

    assert finished(api, tmp_path / "setup.json").gateway_path == "/v1/mcp/shown"


def test_where_no_first_setup_was_ever_made_nothing_is_gone(api, tmp_path):
    assert finished(api, tmp_path / "setup.json") is None
