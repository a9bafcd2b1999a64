"""The process of one control replica: its listeners opened, its end orderly.

`python -m control.main`, run by `archway up` or as a container of its own; any number of replicas may run. What a
replica is made of is in `control/replica.py`.
"""

import asyncio
import logging
import resource
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Final, NamedTuple

import uvloop
from aiohttp import web

from control.admin.app import build_app, listen
from control.http.cookies import rules_for
from control.public_listener import public_app
from control.replica import Replica, composed
from control.settings import ControlSettings, from_environment
from control.store.migrate import MigrationRefused
from control.store.pool import StoreUnavailable
from core.internal_server import InternalSite
from core.keys import BadKey
from core.logs import json_logging
from core.settings import BadSetting, host_port
from core.tasks import Tasks

log = logging.getLogger("control.main")  # also where this file is `__main__`

_CLOSE_WITHIN_S: Final = 15.0


class Ports(NamedTuple):
    """Where the listeners of a replica are."""

    admin: int
    internal: int
    public: int
    metrics: int = 0
    """0: none are told."""


@asynccontextmanager
async def listening(replica: Replica) -> AsyncIterator[Ports]:
    """All listeners open, the one for people last; their ports."""
    settings = replica.settings
    async with AsyncExitStack() as ending:
        metrics_port = 0
        if settings.control_metrics_listen:
            at = host_port("control_metrics_listen", settings.control_metrics_listen)
            metrics, metrics_port = await listen(replica.metrics.application(), *at)
            ending.push_async_callback(metrics.cleanup)
        internal, internal_port = await _listen_internal(
            replica.internal.application(), *host_port("control_internal_listen", settings.control_internal_listen)
        )
        ending.push_async_callback(internal.cleanup)
        admin, port = await listen(build_app(replica.admin), *host_port("admin_listen", settings.admin_listen))
        ending.push_async_callback(admin.cleanup)
        public, public_port = await listen(
            public_app(replica.public), *host_port("control_public_listen", settings.control_public_listen)
        )
        ending.push_async_callback(public.cleanup)
        yield Ports(port, internal_port, public_port, metrics_port)


async def run(settings: ControlSettings) -> None:
    """Serve until SIGTERM or SIGINT."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    tasks = Tasks("main")
    serving = tasks.spawn("serve", _serve(settings))
    stopping = tasks.spawn("stop", stop.wait())
    _ = await asyncio.wait({serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    if not serving.done():
        serving.cancel()  # a start that still waits for its database ends as well
        await tasks.close(_CLOSE_WITHIN_S)
        return
    raise serving.result()


async def _serve(settings: ControlSettings) -> Exception:
    """Serve until cancelled; what keeps it from serving is returned, since it is a sentence for the operator."""
    try:
        async with composed(settings) as replica, listening(replica) as ports:
            told = {"port": ports.admin, "internal_port": ports.internal, "public_port": ports.public}
            told |= {"metrics_port": ports.metrics} if ports.metrics else {}
            log.info("control serves", extra=told)
            if not rules_for(settings.pages_url).kept:
                log.warning("nobody can sign in: browsers keep our cookies over https alone; set ARCHWAY_ISSUER_URL")
            if not settings.proxy_internal_url:
                log.warning("no server can be discovered: set ARCHWAY_PROXY_INTERNAL_URL to where proxies listen")
            await asyncio.Event().wait()
            raise AssertionError("nobody sets this event")
    except (StoreUnavailable, MigrationRefused, BadSetting, OSError) as fault:
        return fault


async def _listen_internal(app: web.Application, host: str, port: int) -> tuple[web.AppRunner, int]:
    runner = web.AppRunner(app, handler_cancellation=True, access_log=None, shutdown_timeout=2.0)
    await runner.setup()
    await InternalSite(runner, host, port).start()
    return runner, int(runner.addresses[0][1])


def main() -> None:
    """The process."""
    try:
        settings = from_environment()
    except (BadSetting, BadKey) as error:
        sys.exit(f"archway control: {error}")
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a core dump would hold the secret key and every credential
    with json_logging(settings.log_level):
        try:
            uvloop.run(run(settings))
        except StoreUnavailable as away:
            sys.exit(f"archway control: {away}; check that ARCHWAY_DATABASE_URL names a running PostgreSQL")
        except (MigrationRefused, BadSetting, OSError) as refused:
            sys.exit(f"archway control: {refused}")


if __name__ == "__main__":
    main()
