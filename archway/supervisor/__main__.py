"""`python -m archway.supervisor ORDERS [PORTS_FILE]`: what the process of `archway proxy` becomes.

The settings were read and checked before, with all the packages that this takes; then that program is exchanged for
this one in the same process (`become`): pid and parent stay. A supervisor lives as long as its proxy, so it imports
only what it uses; a contract of the imports in pyproject.toml names what must not come back.
"""

import asyncio
import contextlib
import signal
import sys
from pathlib import Path

from archway.supervisor.crew import NoWorkerLives
from archway.supervisor.orders import from_argument
from archway.supervisor.run import supervise
from archway.supervisor.sockets import CannotListen
from core.logs import json_logging
from proxy.telemetry.exposition import Exposition


def main() -> None:
    """Supervise until told to end. Status 2: an address cannot be bound; 1: no worker lives; both with a sentence."""
    orders = from_argument(sys.argv[1])
    ports_file = Path(sys.argv[2]) if len(sys.argv) > 2 else None
    status = 0
    try:
        with json_logging(orders.log_level):
            asyncio.run(supervise(orders, Exposition(), ports_file))
    except CannotListen as why:
        _say(str(why))
        status = 2
    except NoWorkerLives as why:
        _say(f"{why}; the last lines above say why")
        status = 1
    except KeyboardInterrupt:
        status = 128 + signal.SIGINT  # as shells do
    sys.exit(status)


def _say(why: str) -> None:
    """The last word, where somebody takes it: the status says the same."""
    with contextlib.suppress(OSError):
        print(why, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
