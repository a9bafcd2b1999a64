"""Asks a proxy what an installation's server speaks and offers: one question to `/internal/probe`.

Called by `discover.py`. The proxy has the one implementation of era detection, listing and the address guard, so
that what is discovered is what will be called. Any proxy will do; they are tried in turn. Leaves out what the
answer means.
"""

import asyncio
import logging
from collections.abc import Sequence
from typing import Final

import msgspec

from core.egress.addresses import PublicUrl
from core.egress.client import Egress, UpstreamFault, read_capped
from core.internal_call import MAX_ANSWER, InternalCalls
from core.resolve import Probe, ProbeQuestion, ResolvedInstallation
from core.sealing import SealBroken

log = logging.getLogger(__name__)

PATH: Final = "/internal/probe"
DEADLINE_S: Final = 20.0
"""For one question: the proxy lists all pages of a server within it."""


class ProbeUnavailable(Exception):
    """No proxy answered. It says nothing about the server that was asked about."""


class ProbeClient:
    """Asks proxies. Its `egress` is a client of its own: their addresses are the operator's word, not a user's."""

    def __init__(self, egress: Egress, addresses: Sequence[str], calls: InternalCalls) -> None:
        self._egress = egress
        self._addresses = [address.strip().rstrip("/") for address in addresses if address.strip()]
        self._calls = calls

    async def probe(self, installation: ResolvedInstallation, deadline: float = DEADLINE_S) -> Probe:
        """What the server answered, or why it did not; raises ProbeUnavailable."""
        body = msgspec.msgpack.encode(ProbeQuestion(installation))
        for address in list(self._addresses):
            try:
                answer = await self._post(address, body, deadline)
                return await asyncio.to_thread(msgspec.msgpack.decode, answer, type=Probe)
            except (UpstreamFault, SealBroken, msgspec.MsgspecError) as fault:
                log.warning("proxy gave no answer to a probe", extra={"address": address, "why": str(fault)[:256]})
                self._addresses.append(self._addresses.pop(0))  # the next question begins at another proxy
                if isinstance(fault, UpstreamFault) and fault.reason == "slow":
                    break  # the deadline is the person's who waits, not each proxy's
        raise ProbeUnavailable

    async def _post(self, address: str, body: bytes, deadline: float) -> bytes:
        authorization, call_id = self._calls.mint("POST", PATH, body)
        headers = {"Authorization": authorization, "Content-Type": "application/octet-stream"}
        url = PublicUrl(address + PATH)
        async with self._egress.request("POST", url, headers, body, deadline=deadline) as response:
            if response.status != 200:
                raise UpstreamFault("broken", sent=True, detail=f"the proxy answered {response.status}")
            sealed = await read_capped(response, MAX_ANSWER)
        return await asyncio.to_thread(self._calls.open_answer, call_id, sealed)
