import asyncio
import errno
from typing import Any, get_args

import pytest

from core.egress.addresses import ANYWHERE, PublicUrl
from core.egress.client import Egress, UpstreamFault
from core.egress.faults import Kind, Reason
from proxy.refusals import TABLE, Refusal
from proxy.upstream import faults
from proxy.upstream.faults import (
    _CONTROLS,
    _WHY,
    AT_ONCE_OR_OURS,
    MAX_TEXT,
    TRANSPORT,
    WEB_PAGE,
    refusal_of,
    upstream_text,
    why,
)
from tests.fakes.call_parts import installation
from tests.fakes.pool_calls import Pool
from tests.fakes.scripted_names import ScriptedNames

TO = "Cannot connect to host far.example:443 ssl:True"
NO_WAY = "No way leads to its address: check host, network and firewall."


@pytest.mark.parametrize("reason", get_args(Reason))
def test_every_fault_of_the_transport_has_a_sentence_that_names_the_server(reason: Reason) -> None:
    fault = UpstreamFault(reason, sent=True, detail="10.1.2.3 said secret things")
    refusal = refusal_of(fault, installation(entry="weather"), seconds=1.5, limit=7)

    assert refusal.reason in TABLE
    assert refusal.sentence.startswith("weather ")
    assert "10.1.2.3" not in refusal.sentence


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        (UpstreamFault("slow", sent=True, figure=10), "server did not answer within 10 s."),
        (UpstreamFault("slow", sent=False, figure=0.25), "server did not answer within 0.25 s."),
        (UpstreamFault("slow", sent=True), "server did not answer within 60 s."),
        (
            UpstreamFault("too_large", sent=True, figure=1 << 20),
            "server sent an answer that is larger than 1048576 bytes.",
        ),
        (
            UpstreamFault("too_large", sent=True, figure=100_000, unit="events"),
            "server sent an answer that is larger than 100000 events.",
        ),
        (UpstreamFault("too_large", sent=True), "server sent an answer that is larger than 16777216 bytes."),
    ],
)
def test_the_figure_that_is_told_is_the_one_that_was_applied(fault: UpstreamFault, told: str) -> None:
    assert refusal_of(fault, installation(entry="server"), seconds=60, limit=16 << 20).sentence == told


def test_of_an_environments_policy_callers_hear_the_name_and_admins_the_host() -> None:
    fault = UpstreamFault("egress", sent=False, detail="a.test:443: the policy does not allow it")
    refusal = refusal_of(fault, installation(entry="server", environment="production"), seconds=60, limit=1)
    assert refusal.sentence == (
        "server is at an address that the egress policy of the environment production does not allow; tell an "
        "administrator."
    )
    assert why(refusal) == "Why: a.test:443: the policy does not allow it."


def test_what_the_policy_forbids_and_what_is_too_large_say_nothing_about_health() -> None:
    assert not TRANSPORT & {"upstream_forbidden", "upstream_egress", "upstream_too_large"}
    assert set(TABLE) >= TRANSPORT


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("plain", "plain"),
        ("two\nlines\tand tab", "two\nlines\tand tab"),
        ("\x1b[31mred\x1b[0m", "red"),
        ("a\x00b\x07c\x9bd\r", "abcd"),
        ("x" * 5000, "x" * MAX_TEXT),
        (None, ""),
        ({"a": 1}, ""),
    ],
)
def test_an_upstreams_words_lose_their_controls_and_their_length(said: object, told: str) -> None:
    assert upstream_text(said) == told


@pytest.mark.parametrize("said", ["x", "\x1b[31m", "x\x07", "\u20ac"])
def test_of_megabytes_of_an_upstreams_words_only_the_beginning_is_looked_at(
    monkeypatch: pytest.MonkeyPatch, said: str
) -> None:
    looked_at = []

    class Controls:
        def sub(self, instead: str, text: str) -> str:
            looked_at.append(len(text))
            return _CONTROLS.sub(instead, text)

    monkeypatch.setattr(faults, "_CONTROLS", Controls())
    assert set(upstream_text(said * (1 << 21))) <= set(said)
    assert looked_at == [4 * MAX_TEXT]


@pytest.mark.parametrize(
    ("reason", "kind", "detail", "told"),
    [
        (
            "refused",
            "unknown_name",
            f"ClientConnectorDNSError: {TO} [Name or service not known]",
            "Its name does not resolve.",
        ),
        (
            "refused",
            "nobody_listens",
            f"ClientConnectorError: {TO} [Connect call failed ('10.0.0.1', 443)]",
            "The connection was refused: check host and port.",
        ),
        ("refused", "unreachable", f"ClientConnectorError: {TO} [Network is unreachable]", NO_WAY),
        (
            "slow",
            "unanswered",
            "ConnectionTimeoutError: Connection timeout to host https://far.example/",
            "No connection could be made in time: a firewall may drop it.",
        ),
        (
            "tls",
            "certificate",
            f"ClientConnectorCertificateError: {TO} [SSLCertVerificationError: (1, '[SSL: CERTIFICATE_VERIFY_FAILED] "
            "certificate verify failed: self-signed certificate (_ssl.c:1006)')]",
            "Its certificate is not trusted: self-signed certificate.",
        ),
        (
            "tls",
            "handshake",
            f"ClientConnectorSSLError: {TO} [[SSL] record layer failure (_ssl.c:1006)]",
            "The TLS handshake failed: check that the port speaks TLS.",
        ),
        (
            "refused",
            "unknown_name",
            "UnknownName: far.example (Name or service not known)",
            "Its name does not resolve.",
        ),
        (
            "refused",
            "nobody_listens",
            "ConnectFailed: far.example:443 [[Errno 111] Connect call failed ('10.0.0.1', 443)]",
            "The connection was refused: check host and port.",
        ),
        ("refused", "unreachable", "ConnectFailed: far.example:443 [Network is unreachable]", NO_WAY),
        (
            "slow",
            "unanswered",
            "ConnectTimeout: no connection to https://far.example:443 within 5 s",
            "No connection could be made in time: a firewall may drop it.",
        ),
        (
            "slow",
            "pool_full",
            "PoolFull: all 200 connections are in use to https://x:1",
            "All connections to it are in use.",
        ),
        (
            "tls",
            "certificate",
            "CertificateRefused: far.example:443 [(1, '[SSL: CERTIFICATE_VERIFY_FAILED] "
            "certificate verify failed: self-signed certificate (_ssl.c:1006)')]",
            "Its certificate is not trusted: self-signed certificate.",
        ),
        (
            "tls",
            "handshake",
            "HandshakeFailed: far.example:443 [[SSL] record layer failure (_ssl.c:1006)]",
            "The TLS handshake failed: check that the port speaks TLS.",
        ),
        (
            "refused",
            "unconnected",
            "ConnectFailed: x:1 [closed as soon as it was open]",
            "No connection could be made.",
        ),
        (
            "broken",
            "",
            "the answer ended without an answer to our request",
            "What is wrong: the answer ended without an answer to our request.",
        ),
        ("broken", "", "answer has \x1b[31mmarks.", "What is wrong: answer has marks."),
        ("broken", "web_page", WEB_PAGE, "Check the path of the URL."),
        ("broken", "", "", ""),
        ("slow", "", "no answer within 60 s", ""),
    ],
)
def test_an_admin_is_told_which_of_the_ways_to_be_unreachable_it_was(
    reason: Reason, kind: Kind, detail: str, told: str
) -> None:
    fault = UpstreamFault(reason, sent=False, kind=kind, detail=detail)
    refusal = refusal_of(fault, installation(), seconds=1.5, limit=7)
    assert why(refusal) == told
    assert told == "" or told not in refusal.sentence


@pytest.mark.parametrize(("status", "told"), [(404, True), (405, True), (500, False)])
def test_a_wrong_path_is_what_an_admin_looks_at_first(status: int, told: bool) -> None:
    refusal = Refusal("upstream_status", server="server", status=status)
    assert bool(why(refusal)) is told


@pytest.mark.parametrize(
    ("host", "told"), [("nothing.example", "Its name does not resolve."), ("127.0.0.1", "The connection was refused")]
)
@pytest.mark.parametrize("client", [Egress, Pool], ids=["aiohttp's client", "our pool"])
async def test_the_words_that_are_looked_for_are_those_that_are_said(
    client: type[Egress] | type[Pool], host: str, told: str
) -> None:
    async with client(ANYWHERE, resolver=ScriptedNames()) as opened:
        with pytest.raises(UpstreamFault) as raised:
            async with opened.request("POST", PublicUrl(f"http://{host}:1/"), {}, b"", deadline=5):
                pass
    assert why(refusal_of(raised.value, installation(), seconds=5, limit=7)).startswith(told)


def test_every_kind_of_a_fault_has_words_for_an_admin() -> None:
    assert set(_WHY) == set(get_args(Kind)) - {""}
    assert set(_WHY) > AT_ONCE_OR_OURS


SINGLE = [
    ([errno.ECONNREFUSED], "refused", "nobody_listens"),
    ([errno.EHOSTUNREACH], "refused", "unreachable"),
    ([errno.ENETUNREACH], "refused", "unreachable"),
    ([errno.EADDRNOTAVAIL], "refused", "unconnected"),
    ([errno.EPERM], "refused", "unconnected"),
    ([errno.ETIMEDOUT], "slow", "unanswered"),
]
SEVERAL = [
    ([errno.ECONNREFUSED, errno.ECONNREFUSED], "refused", "nobody_listens"),
    ([errno.ENETUNREACH, errno.ECONNREFUSED], "refused", "nobody_listens"),
    ([errno.ENETUNREACH, errno.EHOSTUNREACH], "refused", "unreachable"),
    ([errno.EHOSTUNREACH, errno.ECONNREFUSED], "refused", "unconnected"),
    ([errno.EHOSTUNREACH, errno.ETIMEDOUT], "slow", "unanswered"),
]


@pytest.mark.parametrize(
    ("client", "numbers", "reason", "kind"),
    [(Pool, *case) for case in SINGLE + SEVERAL] + [(Egress, *case) for case in SINGLE],
)
async def test_why_there_is_no_connection_is_told_by_the_number_of_the_error_and_not_by_its_words(
    client: type[Egress] | type[Pool], numbers: list[int], reason: str, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    addresses = [f"192.0.2.{number}" for number in range(len(numbers))]

    async def sock_connect(_: object, address: tuple[str, int]) -> None:
        number = numbers[addresses.index(address[0])]
        raise OSError(number, f"Connect call failed {address}")  # as event loops write of every number

    monkeypatch.setattr(asyncio.get_running_loop(), "sock_connect", sock_connect)
    async with client(ANYWHERE, resolver=ScriptedNames(addresses)) as opened:
        with pytest.raises(UpstreamFault) as raised:
            async with opened.request("POST", PublicUrl("http://far.test:1/"), {}, b"", deadline=5):
                pass
    fault = raised.value
    assert (fault.reason, fault.kind, fault.sent) == (reason, kind, False)
    assert (fault.figure is not None) is (reason == "slow"), "the time until then, and not that of a call"


@pytest.mark.parametrize("kind", ["process", "cluster"])
def test_a_server_that_archway_runs_and_that_refuses_a_connection_is_restarting(kind: Any) -> None:
    fault = UpstreamFault("refused", sent=False, kind="nobody_listens", detail="ConnectFailed: 127.0.0.1:1")
    refusal = refusal_of(fault, installation(kind=kind), seconds=60, limit=1)
    assert (refusal.reason, refusal.row.retryable) == ("server_restarting", True)
    assert refusal.sentence == "server is restarting; try again in 5 s."
    assert why(refusal) == ""
    assert refusal.reason not in TRANSPORT, "it counts against no breaker"


def test_a_remote_server_that_refuses_a_connection_cannot_be_reached() -> None:
    fault = UpstreamFault("refused", sent=False, kind="nobody_listens")
    assert refusal_of(fault, installation(), seconds=60, limit=1).reason == "upstream_refused"
