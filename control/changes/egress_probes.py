"""Asking that what an environment's egress policy says be probed now.

Nothing is decided by that, so it is no change that the audit trail keeps.
"""

from control.changes.refusals import NotNow, NotThere
from control.registry.environment import Environment
from control.registry.server_state import Place
from control.store import enforcement, environments
from control.store.pool import Connection


async def probe_again(connection: Connection, environment_id: str, place: Place | None) -> Environment:
    """Have it probed in a minute or two, where servers run in a cluster (`place`). NotThere; NotNow where there is
    nothing to probe.
    """
    if place != "cluster":
        raise NotNow("No servers run in a cluster here; what servers reach is probed only there.")
    found = await environments.one(connection, environment_id)
    if found is None:
        raise NotThere("environment")
    if found.egress is None:
        raise NotNow("This environment has no egress policy, so that there is nothing to probe.")
    await enforcement.ask_again(connection, environment_id)
    return found
