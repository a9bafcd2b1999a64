"""Load on any deployment as MCP clients make it, with locust. See docs/operating/load-testing.md.

    ARCHWAY_ADMIN_URL=... ARCHWAY_ADMIN_TOKEN=... \\
    .venv/bin/python -m locust -f bench/locustfile.py --host https://mcp.example.com --headless -u 200 -r 20 -t 5m

Before the first user comes, callers and a stub server's entry are made through the admin API; after the last has
gone they are removed. It ends with locust's report (`load-test.html`, with plots) and a table of sizes. One process
makes and removes (the master, or the only one); workers are sent what they need.
"""

import logging
import os
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

import gevent
from locust import events
from locust.env import Environment
from locust.rpc.protocol import Message
from locust.runners import WORKER_REPORT_INTERVAL, MasterRunner, WorkerRunner

from bench.load_setup import CannotLoad, LoadSetup, place
from bench.mcp_users import Callers, LegacyUser, McpUser, ModernUser
from bench.sizing import Sizing

__all__ = ["LegacyUser", "ModernUser"]  # locust runs the user classes that it finds here

log = logging.getLogger(__name__)
LOOKS_EVERY_S = 2.0
USERS_LEAVE_S = 30.0
_MADE = "callers"


class Run:
    """This process's part: in the master or a single process, also what was made and the figures."""

    def __init__(self) -> None:
        self.setup: LoadSetup | None = None
        self.sizing: Sizing | None = None
        self.looking: gevent.Greenlet | None = None
        self.most_users = 0


run = Run()


def options(parser: ArgumentParser) -> None:
    """What can be said besides locust's own options."""
    parser.add_argument("--callers", type=int, default=50, help="people with a token each that are made for the test")
    parser.add_argument("--think", type=float, default=2.0, help="mean seconds between two requests of a user")
    parser.add_argument(
        "--stub-url",
        default="",
        help="a `python -m bench.stub_upstream PORT HOST` that the proxies can reach, as http://HOST:PORT/mcp/5; "
        "without it one is started here, for proxies on this machine",
    )
    parser.set_defaults(html_file="load-test.html")


def ready(environment: Environment, **_: Any) -> None:
    """Find the deployment before anything starts; a worker listens for what the master made."""
    assert environment.parsed_options is not None
    if isinstance(environment.runner, WorkerRunner):
        environment.runner.register_message(_MADE, _told)
        return
    try:
        there = place()
    except CannotLoad as why:
        log.error(str(why))
        sys.exit(2)
    environment.host = environment.host or there.proxy_url or None
    if not environment.host:
        log.error("--host is needed: the gateways' base, such as https://mcp.example.com")
        sys.exit(2)
    environment.parsed_options.host = environment.host
    run.sizing = Sizing(there, os.environ.get("ARCHWAY_REDIS_URL", ""))


def made(environment: Environment, **_: Any) -> None:
    """Make everything, and tell the workers."""
    options = environment.parsed_options
    assert options is not None
    McpUser.think_s = options.think
    if isinstance(environment.runner, WorkerRunner) or run.sizing is None:
        return
    run.setup = LoadSetup(run.sizing.place.api, options.callers, options.stub_url)
    try:
        run.setup.make()
    except CannotLoad as why:
        log.error(str(why))
        environment.process_exit_code = 2
        run.setup = None
        if environment.runner is not None:
            environment.runner.quit()
        return
    log.info("%s callers and the gateway %s were made", options.callers, run.setup.path)
    told = {"path": run.setup.path, "tool": run.setup.tool, "tokens": run.setup.tokens}
    _take(told)
    if isinstance(environment.runner, MasterRunner):
        environment.runner.send_message(_MADE, told)
    run.sizing.samples.clear()
    run.looking = gevent.spawn(_look, environment, run.sizing)


def removed(environment: Environment, **_: Any) -> None:
    """The table, then everything goes."""
    looked = run.looking is not None and run.sizing is not None
    if run.looking is not None and run.sizing is not None:
        run.looking.kill()
        run.looking = None
        run.sizing.look()
    if isinstance(environment.runner, MasterRunner):
        _wait_for_users(environment.runner)
    if looked:
        _tell(environment)
    if run.setup is not None:
        run.setup.remove()
        run.setup = None
        log.info("what was made for the test is removed")


def _told(msg: Message, **_: Any) -> None:
    _take(msg.data)


def _wait_for_users(master: MasterRunner) -> None:
    """A master whose time is over leaves at once; what its users still do must not meet removed callers."""
    for client in master.clients.all:
        master.server.send_to_client(Message("stop", None, client.id))  # type: ignore[no-untyped-call]  # locust's own lacks types
    with gevent.Timeout(USERS_LEAVE_S, exception=False):
        while master.user_count:
            gevent.sleep(0.2)
        gevent.sleep(WORKER_REPORT_INTERVAL + 0.5)  # the last that they saw


def _take(told: dict[str, Any]) -> None:
    McpUser.callers = Callers(told["path"], told["tool"], list(told["tokens"]))


def _look(environment: Environment, sizing: Sizing) -> None:
    while True:
        sizing.look()
        if environment.runner is not None:
            run.most_users = max(run.most_users, environment.runner.user_count)
        gevent.sleep(LOOKS_EVERY_S)


def _tell(environment: Environment) -> None:
    """Print the table, and keep it beside the report."""
    assert run.sizing is not None
    answered = [entry for entry in environment.stats.entries.values() if "tools/call" in entry.name]
    calls = sum(entry.num_requests - entry.num_failures for entry in answered)
    if not calls:
        log.warning("no call was answered, so there is no table of sizes")
        return
    table = run.sizing.table(calls, run.most_users)
    options = environment.parsed_options
    beside = Path(options.html_file if options and options.html_file else "load-test.html")
    beside.with_name(f"{beside.stem}-sizing.md").write_text(table + "\n")
    print(f"\n{table}\n")


_LISTENERS = (
    (events.init_command_line_parser, options),
    (events.init, ready),
    (events.test_start, made),
    (events.test_stop, removed),
)
for _event, _listener in _LISTENERS:
    _event.add_listener(_listener)  # type: ignore[no-untyped-call]  # locust's own lacks types
