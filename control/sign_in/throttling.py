"""How often somebody may try a password: by the name that is tried, by the address it is tried from, by the browser.

Strangers share two counts: one of the name, one of the address (of IPv6 its /64). A browser that its person has
signed in with before has a count of its own for that person, so strangers use up nothing of it, however many they
are; when it is used up it counts as a stranger's. A session that is open is never asked anything here, nor is a link:
its secret cannot be guessed. An unknown name is counted as a known one.

The counts are `control/http/throttle.py`'s: in Redis, or with that away in each replica. Then there are so many more
tries as there are replicas, and the few threads of `passwords.py` bound the rest.
"""

from dataclasses import dataclass
from typing import Final

from throttled.asyncio import per_hour

from control.http.throttle import Throttle
from control.redis import Redis
from control.registry.network import network_of

BY_NAME: Final = per_hour(30, burst=10)
BY_ADDRESS: Final = per_hour(240, burst=30)
"""A whole office may share an address."""
BY_DEVICE: Final = per_hour(60, burst=10)


@dataclass(frozen=True, slots=True)
class Admitted:
    """Whether an attempt may go on, and as what."""

    wait_s: int = 0
    """Seconds until it is worth trying again; 0: it may go on."""
    known: bool = False
    """Whether it is counted as a browser that is known."""


class SignInThrottle:
    """Counts the attempts of one deployment, in Redis or, while it is away, here."""

    def __init__(self, redis: Redis) -> None:
        self._throttle = Throttle(redis, {"name": BY_NAME, "address": BY_ADDRESS, "device": BY_DEVICE})

    async def admit(self, *, name: str, address: str, device: str | None = None) -> Admitted:
        """Count an attempt at this name. `device`: digest of the secret of a browser that is known for the person."""
        if device is not None and not await self._throttle.wait("device", device):
            return Admitted(known=True)
        for kind, whose in (("address", network_of(address)), ("name", name.strip().casefold())):
            wait_s = await self._throttle.wait(kind, whose)
            if wait_s:
                return Admitted(wait_s)
        return Admitted()
