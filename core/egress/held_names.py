"""Names whose addresses are held to an environment's policy, for aiohttp's client.

`core.egress.client` has one client for each policy, whose resolver this is. A name that the policy allows leads
wherever it leads; of any other the addresses are dropped that no network of the policy has. Addresses in URLs meet
no resolver: the client judges them before.
"""

import socket

from aiohttp.abc import AbstractResolver, ResolveResult

from core.egress.held import EgressRefused, Held


class HeldResolver(AbstractResolver):
    """Asks `inner`, and drops the addresses that the policy forbids."""

    def __init__(self, inner: AbstractResolver, held: Held) -> None:
        self._inner, self._held = inner, held

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """The permitted addresses. Raises EgressRefused where there are none, and as `inner` does."""
        reach = self._held.reach(host, port)
        answers = await self._inner.resolve(host, port, family)
        if reach == "wherever":
            return answers
        reasons = [self._held.why_not(host, port, answer["host"]) for answer in answers]
        permitted = [answer for answer, reason in zip(answers, reasons, strict=True) if reason is None]
        if not permitted:
            raise EgressRefused(reasons[0])
        return permitted

    async def close(self) -> None:
        """Close the resolver inside."""
        await self._inner.close()
