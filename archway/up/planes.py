"""The two planes as programs of `archway up`."""

import sys
from collections.abc import Mapping

from archway.up.answers import http_answers
from archway.up.environment import Wiring, control_environment, proxy_environment
from archway.up.given_servers import database_wait
from archway.up.ports import LOOPBACK
from archway.up.state import StateFolder
from core.children.program import Program

DRAIN_S = 5.0
"""How long calls may go on when `archway up` ends: nobody wants to wait half a minute for Ctrl-C."""


def control(state: StateFolder, wiring: Wiring, given: Mapping[str, str]) -> Program:
    """The control plane."""
    health = f"http://{LOOPBACK}:{wiring.ports.control}/health"
    return Program(
        name="control",
        title="Control plane",
        command=(sys.executable, "-P", "-m", "control.main"),
        environment=control_environment(wiring, given),
        log=state.log_of("control"),
        record=state.record_of("control"),
        ready=lambda: http_answers(health),
        ready_within_s=database_wait(given) + 30,
        # With a database of somebody else's control has waited long enough itself when it ends.
        tries=1 if given.get("ARCHWAY_DATABASE_URL") else 3,
    )


def proxy(state: StateFolder, wiring: Wiring, given: Mapping[str, str]) -> Program:
    """The supervisor, and behind it the workers."""
    health = f"http://{LOOPBACK}:{wiring.ports.proxy}/health"
    options = ("--ports-file", str(state.ports), "--grace", str(DRAIN_S))
    return Program(
        name="proxy",
        title="Proxy",
        command=(sys.executable, "-P", "-m", "archway", "proxy", *options),
        environment=proxy_environment(wiring, given),
        log=state.log_of("proxy"),
        record=state.record_of("proxy"),
        ready=lambda: http_answers(health),
        grace_s=DRAIN_S + 4,
        ready_within_s=60.0 + database_wait(given),
    )
