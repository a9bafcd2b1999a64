"""Limits of what keeps servers in a cluster and as processes, for `test_limits_page.py`: what each row says."""

from control import settings
from control.orchestrator import cluster, runtime
from control.orchestrator import lease as leading
from control.orchestrator.probing import prober, rounds
from control.registry.enforcement import OLD_AFTER
from control.registry.probe_targets import MOST
from control.servers import keys, loop, orphans


def size(number: float) -> str:
    """As the page writes bytes."""
    for unit, name in ((1 << 20, "MiB"), (1 << 10, "KiB")):
        if number >= unit and number % unit == 0:
            return f"{number // unit:.0f} {name}"
    return f"{number:,} bytes"


SERVERS = {
    "calls of the cluster's API a second": f"{cluster.CALLS_PER_SECOND}",
    "seconds for one of them": f"{cluster.CALL_WITHIN_S:g}",
    "an answer of the cluster's API": size(cluster.MOST_BYTES),
    "servers that are looked after at once": f"{loop.AT_ONCE}",
    "tries of one server": f"{1 / keys.SPACING_S:g} a second; after failures in a row once in "
    f"{keys.FIRST_AGAIN_S:g} to {keys.LAST_AGAIN_S:g} seconds",
    "seconds until a change is seen where a pooler forbids LISTEN": f"{loop.POLL_EVERY_S:g}",
    "servers of nobody that go at once": f"{orphans.ALWAYS}, or {100 * orphans.MOST_SHARE:g} % of all",
    "namespaces in which servers run": f"{settings.MOST_NAMESPACES}",
    "seconds that one that has moved is left where it was": f"{runtime.LEFT_AFTER_S:g}, after it answers elsewhere",
    "minutes from one probe of an environment's egress to the next": f"{rounds.EVERY_MIN[0]:g} to "
    f"{rounds.EVERY_MIN[1]:g}; told as unknown after {OLD_AFTER.seconds // 3600} hours without one",
    "seconds for one probe": f"{prober.STARTS_WITHIN_S + prober.ENDS_WITHIN_S:g}, the pulling of its image included",
    "targets of an operator that probes try": f"{MOST}",
    "seconds that a leader may not renew": f"{leading.GIVE_UP_S:g}, and another takes over after {leading.LASTS_S}",
}
