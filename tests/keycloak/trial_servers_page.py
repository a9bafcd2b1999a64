"""The page about Keycloak as a server's provider is followed to its end, then a person signs in, and calls.

Run by `make keycloak`, on one `archway up`.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from tests.docs.conftest import Deployment
from tests.docs.page_blocks import Block, blocks_of
from tests.docs.page_shell import ROOT, PageShell, Place, workplace
from tests.fakes.keycloak_tools import CLIENT, MACHINE, SECRET
from tests.keycloak.notes import Notes

pytestmark = pytest.mark.timeout(900)
PAGE = "docs/administering/servers/keycloak.md"


def blocks() -> list[Block]:
    """The page's blocks, which say that they are run here."""
    found = [block for block in blocks_of((ROOT / PAGE).read_text()) if "`make keycloak` runs it" in block.what]
    return [replace(block, does="run", what="") for block in found]


@pytest.fixture
async def said(notes: Notes, deployment: Deployment, tmp_path: Path) -> list[str]:
    """The page was followed; what each of its blocks printed."""
    folder, environment = workplace(tmp_path, ARCHWAY_STATE=str(deployment.state))
    words = {
        "https://keycloak.example.com/realms/tools": notes.realm.issuer, "https://notes.example.com/mcp": notes.url,
        "CLIENT_SECRET=...": f"CLIENT_SECRET='{SECRET}'", "client_id=reports": f"client_id={MACHINE}",
    }  # fmt: skip

    def follow() -> list[str]:
        with PageShell(Place(folder, environment, dict(deployment.ports), words)) as shell:
            told = []
            for block in blocks():
                shell.do(block)
                told.append(shell.said)
            return told

    return await asyncio.to_thread(follow)


async def test_who_follows_the_page_has_a_server_that_people_and_a_program_call(
    said: list[str], notes: Notes
) -> None:
    assert len(blocks()) == 2
    about_people, about_a_program = said
    assert notes.callback in about_people
    assert notes.realm.issuer in about_people
    assert "ready" in about_a_program
    ann = await notes.person("Ann")
    await notes.ready(await ann.connect("ann"))
    for slug, client in (("notes", CLIENT), ("reports", MACHINE)):
        await notes.show(slug)
        await notes.until(ann, "ok", slug)
        assert (await notes.claims(ann, slug))["azp"] == client
