"""A server over HTTP that runs whatever Python it is sent: to see what a server gets at."""

from __future__ import annotations

import sys
import urllib.request
from uuid import uuid4

from control.registry.self_hosted import USUAL
from control.servers.wanted import WantedServer

OBEDIENT = """
import http.server, json, os
class Obedient(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        code, found = self.rfile.read(int(self.headers["Content-Length"])).decode(), {}
        try:
            exec(code, found)
            said = str(found.get("said"))
        except BaseException as error:
            said = type(error).__name__
        self.send_response(200); self.end_headers(); self.wfile.write(said.encode())
    do_GET = do_POST
    def log_message(self, *_): pass
http.server.HTTPServer(("127.0.0.1", int(os.environ["PORT"])), Obedient).serve_forever()
"""


def wanted(**other: object) -> WantedServer:
    """An obedient server over HTTP."""
    return WantedServer(
        **{
            "installation_id": str(uuid4()), "entry": "obedient", "team_id": None, "generation": 1, "image": "",
            "command": (sys.executable, "-c", OBEDIENT), "transport": "http", "port": 0, "path": "/mcp",
            "health_path": "", "environment": {}, "secret_environment": {}, "files": {}, "bridge_token": "",
            "resources": USUAL, "pull_secrets": (), **other,
        }
    )  # fmt: skip


def told(endpoint: str, code: str) -> str:
    """What the server says to this piece of Python."""
    asked = urllib.request.Request(endpoint, code.encode(), method="POST")
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(asked, timeout=60) as answer:
        return answer.read().decode()
