"""Opening a connection to an upstream: its name looked up, its addresses judged, TCP, TLS; and what a failure means.

`pool` calls `Connector.connect` within its deadline. The address policy is asked twice: of the addresses that a name
has, so that a refusal can say why, and of each address as its socket is made, which nothing walks around. What an
environment's policy holds a target to is asked at each connect, of the very addresses that are then connected to.
"""

import asyncio
import ipaddress
import socket
import ssl
import time
from dataclasses import dataclass
from typing import cast

import aiohappyeyeballs
from aiohttp.abc import AbstractResolver

from core.egress.addresses import AddressPolicy, AddressRefused
from core.egress.connections import judged_sockets
from core.egress.faults import UpstreamFault, connect_kind, forbidden_fault
from core.egress.held import EgressRefused, Held
from core.egress.name_lookup import JudgedResolver, SystemResolver
from core.single_flight import SingleFlight
from core.tasks import Tasks
from proxy.caches.bounded import Bounded
from proxy.upstream.pool.connection import PoolConnection
from proxy.upstream.pool.request import Target

_MAX_NAMES = 1000
_NEXT_ADDRESS_SECONDS = 0.25
"""RFC 8305 section 5: after so long without an answer the next address is tried beside."""


@dataclass(frozen=True, slots=True)
class _Known:
    addresses: list[str]
    until: float


class Connector:
    """Opens connections under one address policy. Names are remembered for `name_seconds`, at most 1000."""

    def __init__(
        self, policy: AddressPolicy, tls: ssl.SSLContext, *, name_seconds: float, resolver: AbstractResolver | None
    ) -> None:
        self._policy, self._tls, self._name_seconds = policy, tls, name_seconds
        self._resolver = JudgedResolver(resolver or SystemResolver(), policy)
        self._known: Bounded[str, _Known] = Bounded(_MAX_NAMES)
        self._tasks = Tasks("upstream names", quiet=(OSError,))
        self._asking = SingleFlight[list[str]]("look a name up", self._tasks)

    async def close(self) -> None:
        """End the lookups under way."""
        await self._tasks.close()
        await self._resolver.close()

    async def connect(self, target: Target, connection: PoolConnection) -> None:
        """Make `connection` an open one to `target`. Raises UpstreamFault; nothing was sent then."""
        began = time.monotonic()
        try:
            dialled = await self._dial(target)
            try:
                await asyncio.get_running_loop().create_connection(
                    lambda: cast("asyncio.Protocol", connection),  # in all but name
                    sock=dialled,
                    ssl=self._tls if target.tls else None,
                    server_hostname=target.host if target.tls else None,
                )
            except BaseException:
                dialled.close()  # a loop that took it over closes it anyway
                raise
        except (OSError, ValueError) as error:  # a host name that cannot be encoded is a ValueError
            raise _fault(target, error, time.monotonic() - began) from None

    async def _dial(self, target: Target) -> socket.socket:
        any_will_do = target.held is None or target.held.reach(target.host, target.port) == "wherever"
        try:
            addresses = await self._addresses(target.host)
        except AddressRefused:
            raise
        except OSError as error:
            detail = f"UnknownName: {target.host} ({error})"
            raise UpstreamFault("refused", sent=False, kind="unknown_name", detail=detail) from None
        permitted = [address for address in addresses if self._policy.permits(address)]
        if not permitted:
            raise AddressRefused(f"{target.host}: {self._policy.why_not(addresses[0])}")
        if target.held is not None and not any_will_do:
            permitted = _allowed(target, target.held, permitted)
        dialled = await aiohappyeyeballs.start_connection(
            [_address_info(address, target.port) for address in permitted],
            happy_eyeballs_delay=_NEXT_ADDRESS_SECONDS,
            interleave=1,
            socket_factory=judged_sockets(self._policy),
        )
        dialled.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return dialled

    async def _addresses(self, host: str) -> list[str]:
        try:
            return [str(ipaddress.ip_address(host))]
        except ValueError:
            pass  # a name
        known = self._known.get(host)
        if known is not None and time.monotonic() < known.until:
            return known.addresses
        asking = self._asking.run(host, lambda: self._ask(host))
        _ = await asyncio.wait((asking,))  # the caller's cancellation is not the lookup's
        if asking.cancelled():  # which a caller that goes on must not take for its own
            raise OSError("the lookup was given up: Archway is ending")
        return asking.result()

    async def _ask(self, host: str) -> list[str]:
        addresses = [answer["host"] for answer in await self._resolver.resolve(host)]
        if self._name_seconds > 0:
            self._known.put(host, _Known(addresses, time.monotonic() + self._name_seconds))
        return addresses


def _allowed(target: Target, held: Held, addresses: list[str]) -> list[str]:
    """Those of the addresses that the policy allows: no other is connected to. Raises EgressRefused for none."""
    reasons = [held.why_not(target.host, target.port, address) for address in addresses]
    permitted = [address for address, reason in zip(addresses, reasons, strict=True) if reason is None]
    if not permitted:
        raise EgressRefused(reasons[0])
    return permitted


def _address_info(address: str, port: int) -> tuple[int, int, int, str, tuple[object, ...]]:
    if ":" in address:
        return socket.AF_INET6, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (address, port, 0, 0)
    return socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (address, port)


def _fault(target: Target, error: OSError | ValueError, seconds: float) -> UpstreamFault:
    """What an exception means that came after so many seconds."""
    where = f"{target.host}:{target.port}"
    if isinstance(error, AddressRefused):
        return forbidden_fault(error)
    if isinstance(error, ssl.SSLCertVerificationError):
        return UpstreamFault("tls", sent=False, kind="certificate", detail=f"CertificateRefused: {where} [{error}]")
    if isinstance(error, ssl.SSLError):
        return UpstreamFault("tls", sent=False, kind="handshake", detail=f"HandshakeFailed: {where} [{error}]")
    kind = connect_kind(error)
    if kind == "unanswered":
        detail, figure = f"ConnectTimeout: {where} [{error}]", max(round(seconds, 1), 0.1)
        return UpstreamFault("slow", sent=False, kind=kind, detail=detail, figure=figure)
    return UpstreamFault("refused", sent=False, kind=kind, detail=f"ConnectFailed: {where} [{error}]")
