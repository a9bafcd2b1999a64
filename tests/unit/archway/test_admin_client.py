import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import parse_qs, urlsplit

import pytest

from archway.admin_client import AdminApi, Problem, Unreachable


class Handler(BaseHTTPRequestHandler):
    """Answers by the path."""

    def do_GET(self):
        self.server.seen.append((self.command, self.path, dict(self.headers)))
        match self.path.partition("?")[0]:
            case "/api/v1/things":
                last = "cursor=two" in self.path
                self.answer(200, {"items": [{"id": "b" if last else "a"}], "next": None if last else "two"})
            case "/api/v1/things/a":
                self.answer(200, {"id": "a"}, {"ETag": '"7"'})
            case "/api/v1/moved":
                self.answer(307, {}, {"Location": f"http://127.0.0.1:{self.server.server_port}/api/v1/stolen"})
            case "/api/v1/mcp":
                self.answer(404, {"jsonrpc": "2.0"}, {"Content-Type": "application/json"})
            case "/api/v1/log":
                self.send_response(200)
                self.end_headers()
                self.wfile.write(b"one\ntwo\n")
            case "/api/v1/words":
                self.answer(200, None)
            case _:
                errors = [{"field": "name", "message": "must be short"}]
                said = {"title": "Unprocessable", "detail": "Not like this.", "errors": errors}
                self.answer(422, said, {"Content-Type": "application/problem+json"})

    do_PATCH = do_DELETE = do_POST = do_GET  # noqa: N815 - the library's names

    def answer(self, status, body, headers=None):
        raw = b"hello" if body is None else json.dumps(body).encode()
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)

    def log_message(self, *_):
        pass


@pytest.fixture
def server():
    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        server.seen = []
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def api(server):
    return AdminApi(f"http://127.0.0.1:{server.server_port}/", "arch_secret")


def test_a_list_is_read_page_after_page(api):
    assert [one["id"] for one in api.pages("/things")] == ["a", "b"]


@pytest.mark.parametrize("value", ["The clock", "a+b", "50%", "a&b=c", "2026-11-01T00:00:00+01:00", "é", "user:1"])
def test_a_filter_arrives_as_it_was_typed(api, server, value):
    list(api.pages("/things", name=value))

    assert parse_qs(urlsplit(server.seen[0][1]).query)["name"] == [value]


def test_lines_are_read_as_they_come(api, server):
    assert list(api.lines("/log", lines=7)) == [b"one\n", b"two\n"]
    assert server.seen[0][1] == "/api/v1/log?lines=7"


def test_a_refusal_in_the_place_of_lines_is_told(api):
    with pytest.raises(Problem, match=r"Not like this\."):
        list(api.lines("/else"))


def test_a_change_is_made_on_the_version_that_was_read(api, server):
    api.patch("/things/a", {"name": "x"})

    assert server.seen[-1][0] == "PATCH"
    assert server.seen[-1][2]["If-Match"] == '"7"'


def test_a_refusal_names_fields_and_cures(api):
    with pytest.raises(Problem) as refused:
        api.post("/nowhere", {})

    assert str(refused.value) == "Not like this. (422)\n  name: must be short"


def test_a_proxys_answer_is_not_taken_for_an_admin_apis(api):
    with pytest.raises(Unreachable, match="answers 404, but is not an admin API"):
        api.get("/mcp")


def test_a_sentence_that_names_its_field_is_said_once():
    assert (
        str(Problem(422, "Unprocessable", "url: is required", [("url", "is required")])) == "url: is required (422)"
    )


def test_the_token_does_not_follow_a_redirect(api, server):
    with pytest.raises(Unreachable):
        api.get("/moved")

    assert [path for _, path, _ in server.seen] == ["/api/v1/moved"]


def test_the_token_is_not_shown_where_the_client_is(api):
    assert "arch_secret" not in repr(api)


def test_a_proxy_of_the_environment_is_not_used(api, monkeypatch):
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")

    assert api.get("/things/a") == {"id": "a"}


def test_an_address_where_nobody_answers_is_said(unused_tcp_port):
    with pytest.raises(Unreachable, match="does not answer"):
        AdminApi(f"http://127.0.0.1:{unused_tcp_port}", "t").get("/me")


def test_an_answer_that_is_no_json_is_said(api):
    with pytest.raises(Unreachable, match="not JSON"):
        api.get("/words")


def test_a_change_may_bring_the_version_that_it_was_made_of(api, server):
    found, version = api.read("/things/a")
    api.patch("/things/a", {"name": "b"}, version)

    assert found == {"id": "a"}
    assert [(method, headers.get("If-Match")) for method, _, headers in server.seen] == [
        ("GET", None),
        ("PATCH", '"7"'),
    ]
