"""The programs that Connect hands out for the SDKs, run as they are, sign their person in and list the tools."""

from __future__ import annotations

import sys
from pathlib import Path

from control.console.connecting.clients import client_by
from control.console.connecting.step import Target
from tests.fixtures_upstreams import NODE, NPM
from tests.journeys.real_sign_in import TOOL, Desk, Person, started


def program(desk: Desk, key: str) -> str:
    """What the page has for the client where people sign in."""
    client = client_by(key)
    assert client is not None
    (step,) = client.ways["oauth"](Target(desk.url, "desk", ""))
    return step.code


async def printed(desk: Desk, person: Person, home: Path, *command: str) -> list[str]:
    """Its lines, after its person has allowed it."""
    async with started(command, home, PYTHONUNBUFFERED="1") as running:
        await person.allows(await running.address(desk), "My program")
        return (await running.ended()).splitlines()


async def test_the_python_program_signs_its_person_in(desk: Desk, person: Person, tmp_path: Path) -> None:
    (tmp_path / "tools.py").write_text(program(desk, "python"))
    assert TOOL in await printed(desk, person, tmp_path, sys.executable, "tools.py")


async def test_the_typescript_program_signs_its_person_in(desk: Desk, person: Person, tmp_path: Path) -> None:
    (tmp_path / "node_modules").symlink_to(NPM)
    (tmp_path / "tools.mjs").write_text(program(desk, "typescript"))
    assert TOOL in await printed(desk, person, tmp_path, str(NODE), "--preserve-symlinks", "tools.mjs")
