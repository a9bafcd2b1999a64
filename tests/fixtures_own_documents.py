"""A host of OAuth clients' own documents (CIMD), over https on loopback, that whoever trusts its certificate reads.

    url = documents.publish("inspector", client_name="Inspector", redirect_uris=["http://127.0.0.1/oauth/callback"])

Control trusts it by `ARCHWAY_CA_BUNDLE`. The guard of outbound requests lets it through because `archway up` opens
loopback. Imported by the conftest of folders in which clients of their own sign somebody in.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.own_authority import issue

HOST = "localhost"


@dataclass
class OwnDocuments:
    """What the host serves, and how often each document was read."""

    pem: str
    port: int = 0
    read: dict[str, int] = field(default_factory=dict)
    _bodies: dict[str, bytes] = field(default_factory=dict)

    def publish(self, name: str, **says: Any) -> str:
        """Serve a client's document; its URL, which is the client's identifier."""
        url = f"https://{HOST}:{self.port}/{name}.json"
        usual = {
            "grant_types": ["authorization_code", "refresh_token"],
            "response_types": ["code"],
            "token_endpoint_auth_method": "none",
        }
        self._bodies[f"/{name}.json"] = json.dumps({"client_id": url, **usual, **says}).encode()
        self.read[url] = 0
        return url

    def body(self, path: str) -> bytes | None:
        """A document that is asked for; None where there is none."""
        found = self._bodies.get(path)
        if found is not None:
            self.read[f"https://{HOST}:{self.port}{path}"] += 1
        return found


@pytest.fixture(scope="session")
def own_documents(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OwnDocuments]:
    """One host for the session."""
    folder: Path = tmp_path_factory.mktemp("documents")
    certificate = issue(folder, HOST)
    documents = OwnDocuments(certificate.pem)

    class Answers(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = documents.body(self.path)
            self.send_response(200 if body else 404)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(body or b"{}")

        def log_message(self, format: str, *arguments: Any) -> None:
            """Nothing is printed."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    server.socket = certificate.server.wrap_socket(server.socket, server_side=True)
    documents.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield documents
    server.shutdown()
    server.server_close()
    thread.join()
