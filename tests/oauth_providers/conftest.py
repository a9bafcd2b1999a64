"""Providers that nobody here wrote, each a process for the tests of a file, and what asks them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
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
    port = free_port()
    command = [str(NODE), str(ROOT / "tests" / "fakes" / "upstream_idp.mjs"), str(port)]
    with _ready(command, {"NODE_NO_WARNINGS": "1", **told}):
        yield f"http://127.0.0.1:{port}"


@pytest.fixture(scope="module")
def sdk_server() -> Iterator[str]:
    """The origin of an MCP server of the Python SDK, with the SDK's authorization server in front of it."""
    port = free_port()
    command = [sys.executable, "-P", "-m", "tests.fakes.sdk_oauth_server", str(port)]
    with _ready(command, {"PYTHONPATH": str(ROOT)}):
        yield f"http://127.0.0.1:{port}"


@contextmanager
def _ready(command: list[str], environment: dict[str, str]) -> Iterator[None]:
    """The program while it runs, from when it says that it is ready."""
    told = {"PATH": os.environ["PATH"], **environment}
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=told) as process:
        try:
            assert process.stdout is not None
            while not (line := process.stdout.readline()).startswith(b"ready"):
                assert line, f"{command} did not start"
            yield
        finally:
            process.terminate()
