"""Where an installation's server is connected to, and to what its address is held.

The one place that says so: whatever a proxy sends to a server goes to a URL that is made here. A server that Archway
runs may be where others may not: it is of the kind `process` or `cluster`, which control says of no other
(`control/credentials/reaching.py`), in answers that are sealed for this proxy. A remote one is held to the egress
policy of its environment; of one that we run, whatever runs it sees to that.
"""

from core.egress.addresses import PublicUrl
from core.egress.faults import UpstreamFault, forbidden_fault
from core.egress.held import EgressRefused, Held, HeldUrl, host_and_port
from core.egress.own_servers import RuntimeUrl
from core.resolve import ResolvedInstallation

_KEPT = "held url"


def address_of(installation: ResolvedInstallation) -> PublicUrl:
    """The URL for requests to this server."""
    if installation.kind != "remote":
        return PublicUrl(RuntimeUrl(installation.url))
    if installation.egress.mode == "all":
        return PublicUrl(installation.url)
    known: HeldUrl | None = installation.__dict__.get(_KEPT)
    if known is None:
        known = HeldUrl(installation.url, Held(installation.egress, installation.environment))
        installation.__dict__[_KEPT] = known
    return PublicUrl(known)


def policy_of(installation: ResolvedInstallation) -> str:
    """By which the policies are told apart that its address is held to; '' where that is none."""
    url = address_of(installation)
    return url.held.key if isinstance(url, HeldUrl) else ""


def never_reached(installation: ResolvedInstallation, *, at_a_proxy: bool) -> UpstreamFault | None:
    """The fault of every connection to this server, where the name in its URL says it; None where a connection says
    it. `at_a_proxy`: that it would go through one, which looks names up.
    """
    url = address_of(installation)
    if not isinstance(url, HeldUrl):
        return None
    try:
        _ = url.held.reach(*host_and_port(url), at_a_proxy=at_a_proxy)
    except EgressRefused as refused:
        return forbidden_fault(refused)
    return None
