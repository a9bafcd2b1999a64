"""How often the endpoints for programs are answered, each kind of grant by itself.

A client that hammers with a dead refresh token must still be able to redeem a code: so they have different counts.
Refreshes are counted by grant, not by address, since all people of a hosted client come from a few addresses. Codes
and secrets cannot be guessed; the counts keep one client's mistake from costing the others their place.
"""

from typing import Final, Literal

from throttled.asyncio import per_min

from control.http.throttle import Throttle
from control.oauth.errors import OAuthRefused
from control.redis import Redis
from control.registry.network import network_of

Kind = Literal["register", "code", "refresh", "client", "assertion", "proof"]
REGISTER: Final = per_min(30, burst=30)
"""By address: a hosted client registers for each of its people, and twice."""
CODE: Final = per_min(600, burst=200)
"""By address."""
REFRESH: Final = per_min(60, burst=30)
"""By grant: a client refreshes each ten minutes, in several windows, and once more at once."""
CLIENT: Final = per_min(120, burst=60)
"""By client that acts by itself."""
ASSERTION: Final = per_min(600, burst=200)
"""By client, which acts for all people of a company: each of its tokens lives ten minutes."""
PROOF: Final = per_min(60, burst=30)
"""By address: clients that failed to prove themselves."""


class Limits:
    """The counts of the authorization server."""

    def __init__(self, redis: Redis) -> None:
        quotas = {
            "register": REGISTER,
            "code": CODE,
            "refresh": REFRESH,
            "client": CLIENT,
            "assertion": ASSERTION,
            "proof": PROOF,
        }
        self._throttle = Throttle(redis, {f"oauth-{kind}": quota for kind, quota in quotas.items()})

    async def wait(self, kind: Kind, whose: str) -> int:
        """Count one; seconds to wait, 0 where it may go on."""
        return await self._throttle.wait(f"oauth-{kind}", whose)

    async def check(self, kind: Kind, address: str) -> None:
        """Count one of this address; raises OAuthRefused where there were too many."""
        wait_s = await self.wait(kind, network_of(address))
        if wait_s:
            raise OAuthRefused("slow_down", "There were too many of these; try again later.", wait_s=wait_s)
