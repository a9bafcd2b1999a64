"""Asks a proxy what an installation's server speaks and offers: one question to `/internal/probe`.

Called by `discover.py`. The proxy has the one implementation of era detection, listing and the address guard, so
that what is discovered is what will be called. Any proxy will do; they are tried in turn. Leaves out what the
answer means.
"""

import asyncio
import logging
import time
from collections.abc import Sequence
from typing import Final

import msgspec

from core.clocks import CURE, difference, is_refused_for_clock, seconds_ahead
from core.egress.addresses import PublicUrl
from core.egress.client import Egress, UpstreamFault, read_capped
from core.internal_call import MAX_ANSWER, InternalCalls
from core.probes import Probe, ProbeQuestion
from core.resolve import ResolvedInstallation
from core.sealing import SealBroken

log = logging.getLogger(__name__)

PATH: Final = "/internal/probe"
DEADLINE_S: Final = 20.0
"""For one question: the proxy lists all pages of a server within it."""
_FOR_WORDS_S: Final = 4.0
"""Of it, for the proxy to find out what to say of a failure."""
_LOOK_S: Final = 5.0
_NO_ADDRESS: Final = (
    "No proxy answered: control knows no proxy to ask; set ARCHWAY_PROXY_INTERNAL_URL, then discover again."
)


class ProbeUnavailable(Exception):
    """No proxy answered, and why. It says nothing about the server that was asked about."""


class _Mistimed(Exception):
    """A proxy refused control's question for its time alone; the text says how the clocks differ."""


class ProbeClient:
    """Asks proxies. Its `egress` is a client of its own: their addresses are the operator's word, not a user's."""

    def __init__(self, egress: Egress, addresses: Sequence[str], calls: InternalCalls) -> None:
        self._egress = egress
        self._addresses = [address.strip().rstrip("/") for address in addresses if address.strip()]
        self._calls = calls

    async def probe(self, installation: ResolvedInstallation, deadline: float = DEADLINE_S) -> Probe:
        """What the server answered, or why it did not; raises ProbeUnavailable."""
        return await self._ask(ProbeQuestion(installation, seconds=max(deadline - _FOR_WORDS_S, 1.0)), deadline)

    async def look(self, installation: ResolvedInstallation) -> Probe:
        """Whether the server's URL redirects, without a session; raises ProbeUnavailable."""
        return await self._ask(ProbeQuestion(installation, lists=False, look=True), _LOOK_S)

    async def _ask(self, question: ProbeQuestion, deadline: float) -> Probe:
        body = msgspec.msgpack.encode(question)
        why, of_clocks = _NO_ADDRESS, ""
        for address in list(self._addresses):
            try:
                answer = await self._post(address, body, deadline)
                return await asyncio.to_thread(msgspec.msgpack.decode, answer, type=Probe)
            except _Mistimed as mistimed:
                log.error("a proxy's clock differs from control's", extra={"address": address, "why": str(mistimed)})
                self._addresses.append(self._addresses.pop(0))
                of_clocks = f"No proxy could be asked: {mistimed}; {CURE}, then discover again."
            except (UpstreamFault, SealBroken, msgspec.MsgspecError) as fault:
                log.warning("proxy gave no answer to a probe", extra={"address": address, "why": str(fault)[:256]})
                self._addresses.append(self._addresses.pop(0))  # the next question begins at another proxy
                why = _why(fault, deadline)
                if isinstance(fault, UpstreamFault) and fault.reason == "slow":
                    break  # the deadline is the person's who waits, not each proxy's
        raise ProbeUnavailable(of_clocks or why)

    async def _post(self, address: str, body: bytes, deadline: float) -> bytes:
        authorization, call_id = self._calls.mint("POST", PATH, body)
        headers = {"Authorization": authorization, "Content-Type": "application/octet-stream"}
        url = PublicUrl(address + PATH)
        async with self._egress.request("POST", url, headers, body, deadline=deadline) as response:
            if is_refused_for_clock(response.status, response.headers):
                ahead = seconds_ahead(response.headers, time.time())
                raise _Mistimed(difference(ahead, "control", f"the proxy at {address}"))
            if response.status != 200:
                raise UpstreamFault("broken", sent=True, detail=_answered(response.status))
            sealed = await read_capped(response, MAX_ANSWER)
        return await asyncio.to_thread(self._calls.open_answer, call_id, sealed)


def _answered(status: int) -> str:
    return f"the proxy answered {status}"


def _why(fault: Exception, deadline: float) -> str:
    """What is known of a proxy that gave no answer, and what to look at."""
    if not isinstance(fault, UpstreamFault):
        return "No proxy answered in a way that can be read: check that ARCHWAY_PROXY_KEY is the same on both planes."
    if fault.detail == _answered(403):
        return (
            "No proxy answered: it refuses control's questions; check that ARCHWAY_PROXY_KEY is the same on both "
            "planes, and that their clocks agree."
        )
    if fault.detail == _answered(503):
        return "No proxy answered: as many discoveries run as it takes at once; discover again in a moment."
    if fault.reason == "slow":
        return f"No proxy answered within {deadline:g} s; check that one is running, then discover again."
    return "No proxy answered; check that one is running, then discover again."
