"""What the bridge is told by its environment, where it answers, and what it says in its log.

Read by `bridge/` and by `control/`, which starts it and reads its log; the two never import each other.
"""

from typing import Final

TOKEN: Final = "ARCHWAY_BRIDGE_TOKEN"  # noqa: S105  # the name of a variable
"""What every call must carry as its bearer token; the server behind the bridge does not get it."""
SECRET_NAMES: Final = "ARCHWAY_SECRET_NAMES"  # noqa: S105  # the name of a variable
"""Names of the server's secret variables, with commas between; the server does not get it either."""
ENDS_AT: Final = "ARCHWAY_TOKEN_ENDS_AT"
"""Until when the server may run, in Unix seconds, as the token that it is started with ends then."""
LINGER: Final = "ARCHWAY_LINGER_S"
"""For so many seconds calls are taken after the bridge is asked to end, while callers learn where they go instead."""
PATH: Final = "/mcp"
"""Where it answers MCP."""
DOES_NOT_RUN: Final = "the server does not run"
"""Event in its log for each end of the server, with `cause` and `why`."""
ANSWERS: Final = "the server answers"
"""Event in its log for the first answer of each run of the server, with its `packages` as JSON: names, versions."""
