"""A stored snapshot becomes a gateway that calls can use: its signature checked, decoded, compiled.

For a gateway of a thousand tools that takes about eight milliseconds, for which no call must wait: a large document
is opened in a thread. A worker's threads give way to its event loop often (`SWITCH_S`), where Python's own interval
would let the loop wait for five milliseconds at each turn.
"""

import asyncio
from typing import Final

from core.signing import Verifier
from core.snapshot import open_gateway
from proxy.gateways.compiled import CompiledGateway

AT_ONCE: Final = 64 << 10
"""Bytes of a document that is opened where it came: half a millisecond."""
SWITCH_S: Final = 0.0005
"""After which a thread that computes lets the loop go on, for `sys.setswitchinterval`."""


async def opened(document: bytes, gateway_id: str, verifier: Verifier) -> CompiledGateway:
    """The gateway in a document; raises SnapshotBroken, and then nothing of it may be used."""
    if len(document) <= AT_ONCE:
        return _opened(document, gateway_id, verifier)
    return await asyncio.to_thread(_opened, document, gateway_id, verifier)


def _opened(document: bytes, gateway_id: str, verifier: Verifier) -> CompiledGateway:
    return CompiledGateway(open_gateway(document, gateway_id, verifier))
