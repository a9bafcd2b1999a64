"""A real OpenID provider for tests: one process for all tests of a file, as it was when it began for each of them.

Imported by the conftest.py of the folders that need it. Needs `make tools`.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path

import aiohttp
import pytest

from archway.up.ports import free_port
from tests.fakes.identity_provider import IdentityProvider
from tests.fixtures_people import ISSUER

ROOT = Path(__file__).resolve().parents[1]
NODE = ROOT / ".tools" / "bin" / "node"
SCRIPT = ROOT / "tests" / "fakes" / "idp.mjs"
CALLBACK = "/sign-in/oidc/corp/callback"


@pytest.fixture(scope="module")
def idp_issuer() -> Iterator[str]:
    """The issuer of a provider that runs; it sends browsers back to the tests' own address."""
    with running_provider(ISSUER + CALLBACK) as issuer:
        yield issuer


@pytest.fixture(scope="module")
def upstream_issuer() -> Iterator[str]:
    """The issuer of a provider of MCP servers: Archway registers itself there."""
    with running_provider(ISSUER + CALLBACK, "upstream") as issuer:
        yield issuer


@pytest.fixture
async def upstream_idp(upstream_issuer: str) -> AsyncIterator[IdentityProvider]:
    """The provider of MCP servers, as it was when it began."""
    async with aiohttp.ClientSession() as session:
        provider = IdentityProvider(upstream_issuer, session)
        await provider.reset()
        yield provider


@contextmanager
def running_provider(*arguments: str) -> Iterator[str]:
    port = free_port()
    command = [str(NODE), str(SCRIPT), str(port), *arguments]
    environment = {"PATH": os.environ["PATH"], "NODE_NO_WARNINGS": "1"}
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment) as process:
        try:
            assert process.stdout is not None
            while not (line := process.stdout.readline()).startswith(b"ready"):
                assert line, "the provider did not start"
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()


@pytest.fixture
async def idp(idp_issuer: str) -> AsyncIterator[IdentityProvider]:
    """The provider, as it was when it began."""
    async with aiohttp.ClientSession() as session:
        provider = IdentityProvider(idp_issuer, session)
        await provider.reset()
        yield provider
