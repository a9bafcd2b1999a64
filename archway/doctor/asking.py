"""Asks the planes themselves, as they ask each other: does control answer proxies, and do proxies answer control.

Called by examine.py with the addresses and the key of a deployment. A right answer shows that the address leads
there, that both hold one key and that the clocks agree. Nothing is changed and no server of anybody's is called: a
proxy is asked about a server at an address of its own machine at which nobody answers.
"""

import asyncio
import re
import socket
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import msgspec

from archway.doctor.finding import Finding, note
from core.clocks import CURE, MOST_S, difference, is_refused_for_clock, seconds_ahead
from core.egress.addresses import ANYWHERE, PublicUrl
from core.egress.client import Egress, UpstreamFault, read_capped
from core.gateway_answers import IndexAnswer
from core.internal_call import MAX_ANSWER, InternalCalls, Plane
from core.keys import BadKey, KeyRing, parse_key_ring
from core.probes import Probe, ProbeQuestion
from core.resolve import ResolvedInstallation
from core.sealing import SealBroken

DEADLINE_S = 5.0
_NOBODY = ResolvedInstallation("doctor", "doctor", "doctor", "organisation", "remote", "http://127.0.0.1:1/mcp", 1)
_ANOTHER_KEY = "the answer is not sealed with our ARCHWAY_PROXY_KEY: give all programs the same"


@dataclass(frozen=True, slots=True)
class Question:
    """What one plane asks the other, and what it means for a deployment when nobody answers."""

    caller: Plane
    answerer: Plane
    path: str
    body: bytes
    answer: type[msgspec.Struct]
    without: str
    cure: str


TO_PROXIES = Question(
    "control",
    "proxy",
    "/internal/probe",
    msgspec.msgpack.encode(ProbeQuestion(_NOBODY, lists=False)),
    Probe,
    "while no proxy answers control, no server can be discovered",
    "start a proxy; if one runs, correct ARCHWAY_PROXY_INTERNAL_URL or ARCHWAY_PROXY_INTERNAL_LISTEN",
)
TO_CONTROL = Question(
    "proxy",
    "control",
    "/internal/index",
    b"",
    IndexAnswer,
    "while control is away, callers that are not known yet are refused",
    "start control; if it runs, correct ARCHWAY_CONTROL_INTERNAL_URL or ARCHWAY_CONTROL_INTERNAL_LISTEN",
)


class _Silent(Exception):
    """Nobody answers at an address; the text says how that showed."""


def ask(question: Question, addresses: Sequence[str], key: str, ca_bundle: str, *, must: bool) -> list[Finding]:
    """One finding for each address. `must`: that nobody answers is wrong, not only worth knowing."""
    try:
        ring = parse_key_ring("ARCHWAY_PROXY_KEY", key)
    except BadKey:
        return []  # told with the setting itself
    return asyncio.run(_ask_all(question, addresses, ring, ca_bundle, must))


def runs(listen: str) -> bool:
    """Whether somebody listens on this machine where a setting such as ARCHWAY_ADMIN_LISTEN says."""
    host, _, port = listen.rpartition(":")
    host = host.strip("[]")
    here = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}.get(host, host)
    try:
        with socket.create_connection((here, int(port)), timeout=DEADLINE_S):
            return True
    except (OSError, ValueError):
        return False


async def _ask_all(
    question: Question, addresses: Sequence[str], ring: KeyRing, ca_bundle: str, must: bool
) -> list[Finding]:
    calls = InternalCalls(ring, caller=question.caller, answerer=question.answerer)
    try:
        egress = Egress(ANYWHERE, ca_bundle=ca_bundle or None)
    except ValueError:
        return []  # told with the setting itself
    findings = []
    async with egress:
        for address in addresses:
            try:
                trouble = await _trouble(egress, calls, address, question)
            except _Silent as silent:
                said = f"no {question.answerer} answers at {address} ({silent})"
                make = Finding if must else note
                findings.append(make(said, question.without, question.cure))
            else:
                well = Finding(f"{question.answerer} answers {question.caller} at {address}", level="ok")
                findings.append(Finding(f"{address}: {trouble}", question.without) if trouble else well)
    return findings


async def _trouble(egress: Egress, calls: InternalCalls, address: str, question: Question) -> str:
    """What is wrong with the answer, "" where nothing is; raises _Silent where there is none."""
    authorization, call_id = calls.mint("POST", question.path, question.body)
    headers = {"Authorization": authorization, "Content-Type": "application/octet-stream"}
    url = PublicUrl(address.rstrip("/") + question.path)
    try:
        async with egress.request("POST", url, headers, question.body, deadline=DEADLINE_S) as response:
            ahead = seconds_ahead(response.headers, time.time())
            if response.status != 200:
                return _refused(response.status, question, response.headers)
            answer = calls.open_answer(call_id, await read_capped(response, MAX_ANSWER))
            msgspec.msgpack.decode(answer, type=question.answer)
    except UpstreamFault as fault:
        if fault.reason in {"refused", "slow"}:
            raise _Silent(_how(fault)) from None
        return f"no answer that can be read ({fault.detail or fault.reason}): check scheme and port"
    except (SealBroken, msgspec.MsgspecError):
        return _ANOTHER_KEY
    if ahead is not None and abs(ahead) > MOST_S:
        return f"{difference(ahead, 'this machine', question.answerer)}: soon its questions are refused; {CURE}"
    return ""


def _how(fault: UpstreamFault) -> str:
    """In a few words: of the client's sentence, what the system said."""
    said = re.search(r"\[([^\[\]]+)\]$", fault.detail)
    return said[1] if said else fault.detail or fault.reason


def _refused(status: int, question: Question, headers: Mapping[str, str]) -> str:
    if is_refused_for_clock(status, headers):
        ahead = seconds_ahead(headers, time.time())
        return f"it refuses our question for its time: {difference(ahead, 'this machine', question.answerer)}; {CURE}"
    if status == 403:
        return "it refuses our question: its ARCHWAY_PROXY_KEY is another; give all programs the same"
    if status == 503:
        return "it cannot answer now: read its log"
    return f"HTTP {status}: this is no internal listener; check the port (8402 is control's, 8403 a proxy's)"
