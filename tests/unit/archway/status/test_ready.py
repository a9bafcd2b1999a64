"""What a listener answers to /ready, on a real socket."""

import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from archway.status.ready import why_not_ready


@pytest.fixture
def listener():
    """An address whose /ready answers `listener.status`."""

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(self.server.status if self.path == "/ready" else 404)
            self.send_header("Location", "http://169.254.169.254/")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_):
            pass

    server = HTTPServer(("127.0.0.1", 0), Answer)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize(
    ("status", "why"),
    [
        (200, ""),
        (503, "is not ready (503)"),
        (404, "answers 404 to /ready"),
        (302, "answers 302 to /ready"),
        (204, "answers 204 to /ready"),
    ],
)
def test_it_is_ready_or_says_why_not(listener, status, why):
    listener.status = status
    assert why_not_ready(f"http://127.0.0.1:{listener.server_port}/") == why


def test_nobody_there_is_said(listener):
    port = listener.server_port
    listener.socket.close()
    assert why_not_ready(f"http://127.0.0.1:{port}").startswith("does not answer: ")


def test_an_address_that_is_none_is_said():
    assert why_not_ready("nowhere").startswith("does not answer: ")
