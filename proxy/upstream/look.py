"""A look at a URL before anything is installed: does it redirect? Asked by control when an entry is saved.

One request, with no credential and no session. Whatever else the server says, a refusal even, is no news: nobody has
given a credential yet, and discovery tells the rest.
"""

from typing import Final

import orjson

from core.egress.faults import UpstreamFault
from core.probes import Probe
from core.resolve import ResolvedInstallation
from proxy.upstream.addresses import address_of
from proxy.upstream.outbound import Outbound
from proxy.upstream.redirects import redirect_words
from proxy.upstream.transport import Transport
from proxy.upstream.unsuccessful import read_unsuccessful

SECONDS: Final = 3.0


async def look_for_redirect(transport: Transport, installation: ResolvedInstallation) -> Probe:
    """A probe with a fault and a sentence where the URL redirects, and else an empty one."""
    message, headers = Outbound("server/discover", {}, installation.own_headers).modern()
    url = address_of(installation)
    try:
        async with transport.request("POST", url, headers, orjson.dumps(message), deadline=SECONDS) as response:
            if not 300 <= response.status < 400:
                return Probe()
            location = (await read_unsuccessful(response)).location
    except UpstreamFault:
        return Probe()
    return Probe(fault="upstream_status", sentence=redirect_words(installation.url, location))
