"""The doctor asks the planes, and whoever else may be at an address that a setting names."""

import time
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import msgspec
import pytest

from archway.doctor.asking import TO_CONTROL, TO_PROXIES, ask, runs
from core.gateway_answers import IndexAnswer
from core.internal_call import CallRefused, InternalCalls
from core.keys import new_key, parse_key_ring
from core.probes import Probe

NOBODY = "http://127.0.0.1:1"


class Plane(BaseHTTPRequestHandler):
    """Answers as the server's `say` decides: a status, or the bytes of a sealed answer."""

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"] or 0))
        said = self.server.say(self.headers["Authorization"], self.path, body)
        status, content = said if isinstance(said, tuple) else (200, said)
        self.send_response(status)
        if self.server.for_clock:
            self.send_header("Archway-Refused", "clock")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def date_time_string(self, timestamp=None):
        return formatdate(time.time() + self.server.ahead, usegmt=True)

    def log_message(self, *_):
        pass


@pytest.fixture
def plane():
    with ThreadingHTTPServer(("127.0.0.1", 0), Plane) as server:
        server.ahead, server.for_clock = 0.0, False
        Thread(target=server.serve_forever, daemon=True).start()
        server.url = f"http://127.0.0.1:{server.server_port}"
        yield server
        server.shutdown()


def answering(question, key, answer):
    """What a plane with this key says to a question."""
    ring = parse_key_ring("ARCHWAY_PROXY_KEY", key)
    calls = InternalCalls(ring, caller=question.caller, answerer=question.answerer)

    def say(authorization, path, body):
        try:
            call_id = calls.check(authorization, "POST", path, body)
        except CallRefused:
            return 403, b""
        return calls.seal_answer(call_id, msgspec.msgpack.encode(answer))

    return say


ANSWERS = [(TO_PROXIES, Probe(fault="upstream_refused")), (TO_CONTROL, IndexAnswer(b"signed"))]


@pytest.mark.parametrize(("question", "answer"), ANSWERS)
def test_a_plane_that_answers_is_well(plane, question, answer):
    key = new_key()
    plane.say = answering(question, key, answer)
    (finding,) = ask(question, [plane.url + "/"], key, "", must=True)
    assert finding.line == f"ok       {question.answerer} answers {question.caller} at {plane.url}/"


@pytest.mark.parametrize(("question", "answer"), ANSWERS)
def test_a_plane_with_another_key_is_told_that_the_keys_differ(plane, question, answer):
    plane.say = answering(question, new_key(), answer)
    (finding,) = ask(question, [plane.url], new_key(), "", must=False)
    assert finding.wrong
    assert "ARCHWAY_PROXY_KEY" in finding.what
    assert "clock" not in finding.what


@pytest.mark.parametrize(("ahead", "words"), [(90, "behind that of"), (-90, "ahead of that of")])
@pytest.mark.parametrize(("question", "answer"), ANSWERS)
def test_a_plane_whose_clock_differs_is_told_apart_from_one_with_another_key(plane, question, answer, ahead, words):
    plane.ahead, plane.for_clock = ahead, True
    plane.say = lambda *_: (403, b"")
    (finding,) = ask(question, [plane.url], new_key(), "", must=False)
    assert finding.wrong
    assert f"{words} {question.answerer}" in finding.what
    assert "chrony" in finding.what
    assert "KEY" not in finding.what


@pytest.mark.parametrize(("question", "answer"), ANSWERS)
def test_a_clock_that_drifts_is_told_before_questions_are_refused(plane, question, answer):
    key = new_key()
    plane.say, plane.ahead = answering(question, key, answer), 45
    (finding,) = ask(question, [plane.url], key, "", must=False)
    assert finding.wrong
    assert "clock" in finding.what


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ((404, b""), "this is no internal listener; check the port"),
        ((401, b""), "this is no internal listener; check the port"),
        ((503, b""), "read its log"),
        (b"not sealed", "not sealed with our ARCHWAY_PROXY_KEY"),
        (b"", "not sealed with our ARCHWAY_PROXY_KEY"),
    ],
)
def test_whoever_else_answers_is_named_with_the_cure(plane, said, words):
    plane.say = lambda *_: said
    (finding,) = ask(TO_PROXIES, [plane.url], new_key(), "", must=False)
    assert finding.wrong
    assert words in finding.what


def test_each_address_has_its_own_line(plane):
    key = new_key()
    plane.say = answering(TO_PROXIES, key, Probe())
    found = ask(TO_PROXIES, [NOBODY, plane.url], key, "", must=False)
    assert [finding.level for finding in found] == ["warning", "ok"]


def test_somebody_listens_where_somebody_listens(plane):
    assert runs(f"127.0.0.1:{plane.server_port}")
    assert runs(f"0.0.0.0:{plane.server_port}")


def test_nobody_at_an_address_is_a_warning_before_the_start_and_wrong_afterwards():
    (before,) = ask(TO_PROXIES, [NOBODY], new_key(), "", must=False)
    (after,) = ask(TO_PROXIES, [NOBODY], new_key(), "", must=True)
    assert (before.level, after.level) == ("warning", "failed")
    assert "no server can be discovered" in before.why
    assert "ARCHWAY_PROXY_INTERNAL_URL" in after.cure
    (control,) = ask(TO_CONTROL, [NOBODY], new_key(), "", must=False)
    assert "ARCHWAY_CONTROL_INTERNAL_URL" in control.cure


def test_no_address_and_no_key_ask_nobody():
    assert ask(TO_PROXIES, [], new_key(), "", must=True) == []
    assert ask(TO_PROXIES, [NOBODY], "no key", "", must=True) == []


@pytest.mark.parametrize("listen", ["127.0.0.1:1", "nonsense", "0.0.0.0:0", "[::1]:1"])
def test_nobody_listens_where_nobody_listens(listen):
    assert not runs(listen)
