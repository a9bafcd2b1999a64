"""Providers that nobody here wrote, each a process for the tests of a file, and what asks them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from archway.up.ports import free_port
from control.credentials.upstream_oauth.registration import client_document
from control.providers.asking import Asker
from core.client_keys import ClientKey
from tests.fakes.answering import loopback_asker
from tests.fakes.upstream_clients import OURS
from tests.fixtures_upstreams import NODE, ROOT


@pytest.fixture
async def asker() -> AsyncIterator[Asker]:
    async with loopback_asker() as made:
        yield made


@pytest.fixture(scope="module")
def client_key() -> ClientKey:
    """With which the provider's client `signer` proves itself."""
    return ClientKey(ec.generate_private_key(ec.SECP256R1()))


@pytest.fixture(scope="module")
def oidc_issuer(client_key: ClientKey) -> Iterator[str]:
    """The issuer of npm `oidc-provider`, which knows the document about us."""
    told = {"DOCUMENT": json.dumps(client_document(OURS)), "MACHINE": json.dumps(client_key.jwk)}
    told = {"DOCUMENT": json.dumps(client_document(OURS)), "MACHINE": json.dumps(client_key.jwk)}
    command = [str(NODE), str(ROOT / "tests" / "fakes" / "upstream_idp.mjs")]
    with _ready(command, {"NODE_NO_WARNINGS": "1", **told}) as origin:
        yield origin


@pytest.fixture(scope="module")
def sdk_server() -> Iterator[str]:
    """The origin of an MCP server of the Python SDK, with the SDK's authorization server in front of it."""
    with _ready([sys.executable, "-P", "-m", "tests.fakes.sdk_oauth_server"], {"PYTHONPATH": str(ROOT)}) as origin:
        yield origin


_TRIES = 3


@contextmanager
def _ready(command: list[str], environment: dict[str, str]) -> Iterator[str]:
    """The program's origin while it runs, from when it says that it is ready.

    It is told its port, since it writes that into its documents before it binds it; another program may have taken
    the port by then, and it is started with another one.
    """
    told = {"PATH": os.environ["PATH"], **environment}
    said = b""
    for _ in range(_TRIES):
        port = free_port()
        with subprocess.Popen(
            [*command, str(port)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=told
        ) as process:
            try:
                assert process.stdout is not None
                said = b""
                for line in process.stdout:
                    if line.startswith(b"ready"):
                        reading = threading.Thread(target=process.stdout.read, daemon=True)  # or its pipe fills
                        reading.start()
                        yield f"http://127.0.0.1:{port}"
                        return
                    said += line
            finally:
                process.terminate()
    raise AssertionError(f"{command} did not start: {said.decode(errors='replace')[-2000:]}")
