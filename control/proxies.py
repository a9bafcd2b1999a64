"""Asks a proxy something: one question to the internal listener of whichever answers first.

Called by discovery (`control/discovery/probe_client.py`) and by explaining (`control/explain/`): a proxy has the one
implementation of what a call is, so control asks it. Any proxy will do; they are tried in turn. Leaves out what the
questions and answers mean.
"""

import asyncio
import logging
import time
from collections.abc import Sequence
from typing import Final, TypeVar

import msgspec

from core.clocks import CURE, difference, is_refused_for_clock, seconds_ahead
from core.egress.addresses import PublicUrl
from core.egress.client import Egress, UpstreamFault, read_capped
from core.internal_call import MAX_ANSWER, InternalCalls
from core.sealing import SealBroken

log = logging.getLogger(__name__)
T = TypeVar("T")
_NO_ADDRESS: Final = "No proxy answered: control knows no proxy to ask; set ARCHWAY_PROXY_INTERNAL_URL, then {again}."


class ProxyAway(Exception):
    """No proxy answered, and why. It says nothing about what was asked."""


class _Mistimed(Exception):
    """A proxy refused control's question for its time alone; the text says how the clocks differ."""


class Proxies:
    """Asks proxies. Its `egress` is a client of its own: their addresses are the operator's word, not a user's."""

    def __init__(self, egress: Egress, addresses: Sequence[str], calls: InternalCalls) -> None:
        self._egress = egress
        self._addresses = [address.strip().rstrip("/") for address in addresses if address.strip()]
        self._calls = calls

    async def ask(self, path: str, question: msgspec.Struct, answer: type[T], *, deadline: float, again: str) -> T:
        """The answer to a question; raises ProxyAway. `again`: what a person does once that is mended."""
        body = msgspec.msgpack.encode(question)
        why, of_clocks = _NO_ADDRESS.format(again=again), ""
        for address in list(self._addresses):
            try:
                found = await self._post(address, path, body, deadline)
                return await asyncio.to_thread(msgspec.msgpack.decode, found, type=answer)
            except _Mistimed as mistimed:
                log.error("a proxy's clock differs from control's", extra={"address": address, "why": str(mistimed)})
                self._addresses.append(self._addresses.pop(0))
                of_clocks = f"No proxy could be asked: {mistimed}; {CURE}, then {again}."
            except (UpstreamFault, SealBroken, msgspec.MsgspecError) as fault:
                told = {"address": address, "path": path, "why": str(fault)[:256]}
                log.warning("a proxy gave no answer", extra=told)
                self._addresses.append(self._addresses.pop(0))  # the next question begins at another proxy
                why = _why(fault, deadline, again)
                if isinstance(fault, UpstreamFault) and fault.reason == "slow":
                    break  # the deadline is the person's who waits, not each proxy's
        raise ProxyAway(of_clocks or why)

    async def _post(self, address: str, path: str, body: bytes, deadline: float) -> bytes:
        authorization, call_id = self._calls.mint("POST", path, body)
        headers = {"Authorization": authorization, "Content-Type": "application/octet-stream"}
        url = PublicUrl(address + path)
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


def _why(fault: Exception, deadline: float, again: str) -> str:
    """What is known of a proxy that gave no answer, and what to look at."""
    if not isinstance(fault, UpstreamFault):
        return "No proxy answered in a way that can be read: check that ARCHWAY_PROXY_KEY is the same on both planes."
    if fault.detail == _answered(403):
        return (
            "No proxy answered: it refuses control's questions; check that ARCHWAY_PROXY_KEY is the same on both "
            "planes, and that their clocks agree."
        )
    if fault.detail == _answered(404):
        return f"No proxy answered: it is of a version that does not know this question; update it, then {again}."
    if fault.detail == _answered(503):
        return f"No proxy answered: as many such questions run as it takes at once; {again} in a moment."
    if fault.reason == "slow":
        return f"No proxy answered within {deadline:g} s; check that one is running, then {again}."
    return f"No proxy answered; check that one is running, then {again}."
