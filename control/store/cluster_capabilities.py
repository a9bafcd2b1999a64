"""SQL of what the cluster that servers run in can hold: one row for the deployment, written by whoever leads there.

No row: servers run in no cluster, and nothing is asked of one. A row without a provider: nobody has looked yet.
"""

from dataclasses import asdict

import msgspec

from control.registry.egress_providers import ClusterFound
from control.store.pool import Connection


async def found(connection: Connection) -> ClusterFound | None:
    """What was found last; None where servers run in no cluster."""
    row = await connection.fetchrow("select found from cluster_capabilities")
    return None if row is None else msgspec.convert(row["found"], ClusterFound)


async def keep(connection: Connection, what: ClusterFound) -> None:
    """What was found now, in the place of what was found before."""
    await connection.execute(
        """insert into cluster_capabilities (found) values ($1)
           on conflict (only_one) do update set found = excluded.found, found_at = now()""",
        asdict(what),
    )


async def expect(connection: Connection) -> None:
    """Servers run in a cluster: until somebody has looked, it is not known what it holds."""
    await connection.execute(
        "insert into cluster_capabilities (found) values ($1) on conflict do nothing",
        asdict(ClusterFound(provider=None)),
    )


async def forget(connection: Connection) -> None:
    """Servers run in no cluster."""
    await connection.execute("delete from cluster_capabilities")
