"""Asks a proxy what an installation's server speaks and offers: one question to `/internal/probe`.

Called by `discover.py`. The proxy has the one implementation of era detection, listing and the address guard, so
that what is discovered is what will be called. Leaves out what the answer means, and which proxy answers
(`control/proxies.py`).
"""

from typing import Final

from control.proxies import Proxies
from core.probes import Probe, ProbeQuestion
from core.resolve import ResolvedInstallation

PATH: Final = "/internal/probe"
DEADLINE_S: Final = 20.0
"""For one question: the proxy lists all pages of a server within it."""
_FOR_WORDS_S: Final = 4.0
"""Of it, for the proxy to find out what to say of a failure."""
_LOOK_S: Final = 5.0
_AGAIN: Final = "discover again"


class ProbeClient:
    """Asks whichever proxy answers what an installation's server speaks and offers."""

    def __init__(self, proxies: Proxies) -> None:
        self._proxies = proxies

    async def probe(self, installation: ResolvedInstallation, deadline: float = DEADLINE_S) -> Probe:
        """What the server answered, or why it did not; raises ProxyAway."""
        return await self._ask(ProbeQuestion(installation, seconds=max(deadline - _FOR_WORDS_S, 1.0)), deadline)

    async def look(self, installation: ResolvedInstallation) -> Probe:
        """Whether the server's URL redirects, without a session; raises ProxyAway."""
        return await self._ask(ProbeQuestion(installation, lists=False, look=True), _LOOK_S)

    async def _ask(self, question: ProbeQuestion, deadline: float) -> Probe:
        return await self._proxies.ask(PATH, question, Probe, deadline=deadline, again=_AGAIN)
