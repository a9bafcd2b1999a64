"""The same odd server under both official SDKs and through a gateway: what one of the two takes, the gateway takes.

Each row is called twice through the gateway, cold and warm, since two readers read the answers. The exceptions are
rows that say `why_not`.
"""

from __future__ import annotations

import asyncio

import pytest

from tests.fakes.scripted_upstream import ScriptedUpstream
from tests.proxy.conftest import MakeRig
from tests.sdk_table.rows import ROWS, OddServer
from tests.sdk_table.sdks import Seen


def takers(seen: Seen, row: str) -> set[str]:
    return {sdk for sdk, outcomes in seen.items() if not outcomes[row]}


async def test_a_gateway_does_with_every_row_what_the_table_says(make_rig: MakeRig) -> None:
    got = await through_the_gateway(make_rig)
    assert not {row: wrong for row, wrong in got.items() if wrong}


def test_what_one_of_the_sdks_takes_the_gateway_takes_or_the_table_says_why_not(seen: Seen) -> None:
    refused = {row: takers(seen, row) for row in ROWS if ROWS[row].result is None and not ROWS[row].why_not}
    assert not {row: sdks for row, sdks in refused.items() if sdks}


def test_an_exception_is_one_only_while_an_sdk_takes_the_row(seen: Seen) -> None:
    assert not [row for row in ROWS if ROWS[row].why_not and not takers(seen, row)]


@pytest.mark.parametrize("sdk", ["Python", "TypeScript"])
def test_each_sdk_takes_what_is_not_odd(seen: Seen, sdk: str) -> None:
    plain = ("plain", "plain-stream", "log-before", "comments-and-ids", "usual-numbers", "gzip", "status-201")
    assert not {row: seen[sdk][row] for row in plain if seen[sdk][row]}


async def through_the_gateway(make_rig: MakeRig) -> dict[str, str]:
    """Row to what is not as the row says, of two calls one after the other; empty where all is."""
    async with make_rig() as rig, ScriptedUpstream(OddServer().answers) as server:
        await rig.serve(
            [
                rig.control.tool(name, "t", rig.control.installation(f"{server.url}/{name}/mcp", protocol="legacy"))
                for name in ROWS
            ]
        )
        sessions = [await rig.open_session() for _ in ROWS]

        async def both(name: str, session: str) -> str:
            for when in ("cold", "warm"):
                reply = await rig.legacy("tools/call", {"name": name, "arguments": {}}, session=session)
                wrong = _wrong(name, reply.body)
                if wrong:
                    return f"{when}: {wrong}"
            return ""

        outcomes = await asyncio.gather(*(both(*one) for one in zip(ROWS, sessions, strict=True)))
    return dict(zip(ROWS, outcomes, strict=True))


def _wrong(name: str, answer: bytes) -> str:
    expected = ROWS[name].result
    if expected is None:
        refused = b'"archway/refusal"' in answer
        return "" if refused else f"taken: {answer[:200]!r}"
    # What a server logs before its answer makes a stream of it, of which the answer is the last event.
    last = answer.rstrip(b"\n").rpartition(b"data: ")[2] if answer.startswith(b"data: ") else answer
    found = last.removeprefix(b'{"jsonrpc":"2.0","id":1,"result":').removesuffix(b"}")
    return "" if found == expected else f"{answer[:300]!r}"
