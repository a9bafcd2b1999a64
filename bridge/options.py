"""What the bridge is told when it starts: its arguments, and a few variables of its environment."""

import argparse
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from core.bridge_terms import ENDS_AT, LINGER, SECRET_NAMES, TOKEN

_LEAST_TOKEN = 16
_OURS = frozenset({TOKEN, SECRET_NAMES, ENDS_AT, LINGER})
_EXAMPLES = f"""\
environment:
  {TOKEN}  what every call must carry: Authorization: Bearer TOKEN; at least {_LEAST_TOKEN} characters
  {SECRET_NAMES}  names of the command's secret variables, with commas between; their values are kept
                        out of the log
  {ENDS_AT}   when a token among them ends, in Unix seconds: the command is ended before that
  {LINGER}        for how many seconds calls are taken still when the bridge is asked to end
None of them is passed on to the command; all other variables are.

examples:
  {TOKEN}=... python -m bridge --port 8080 -- npx -y @modelcontextprotocol/server-everything stdio
  {TOKEN}=... python -m bridge --host 0.0.0.0 --port 8080 --start-within 300 -- uvx mcp-server-time
  curl http://127.0.0.1:8080/healthz
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How one bridge runs: its command, its address, and its limits."""

    command: tuple[str, ...]
    """Program and arguments of the server."""
    token: str = field(repr=False)
    """What every call must carry."""
    secrets: tuple[str, ...] = field(default=(), repr=False)
    """Values that never get into the log."""
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    """All of the server's environment."""
    host: str = "127.0.0.1"
    port: int = 8080
    max_in_flight: int = 256
    """Calls that run at once; one more is told to come again."""
    max_body: int = 4 << 20
    """Bytes of one request."""
    max_line: int = 16 << 20
    """Bytes of one message of the server; of a longer one nothing is kept."""
    wait_s: float = 8.0
    """For a server that is about to be there, before a call is refused. A proxy that probes waits for ten seconds."""
    call_s: float = 660.0
    """For the answer to one call. A minute longer than a proxy waits by its longest setting."""
    ping_s: float = 10.0
    """For a server that has let a call wait for too long to say that it lives."""
    start_s: float = 120.0
    """From a start of the server until it has answered: `npx` and `uvx` may have to fetch it first."""
    drain_s: float = 10.0
    """For the calls that run when the bridge is asked to end."""
    stop_s: float = 10.0
    """From the end of its input until the server is ended by force."""
    linger_s: float = 0.0
    """For new calls when the bridge is asked to end: whoever sends them has to learn first where they go instead."""
    ends_at: float = 0.0
    """Until when the server may run, in Unix seconds: what it is started with ends then. 0: without end."""


def options_from(arguments: Sequence[str], environment: Mapping[str, str]) -> Options:
    """Read them; raises SystemExit, having said what is wrong, as programs do."""
    parser = _parser()
    given = parser.parse_args(arguments)
    command = given.command[1:] if given.command[:1] == ["--"] else given.command
    token = environment.get(TOKEN, "")
    if not command:
        parser.error("what to run is missing: put -- and the command at the end")
    if len(token) < _LEAST_TOKEN:
        parser.error(f"{TOKEN} must be set, with at least {_LEAST_TOKEN} characters")
    names = [name.strip() for name in environment.get(SECRET_NAMES, "").split(",") if name.strip()]
    return Options(
        command=tuple(command),
        token=token,
        secrets=(token, *filter(None, (environment.get(name, "") for name in names))),
        environment={name: value for name, value in environment.items() if name not in _OURS},
        host=given.host,
        port=given.port,
        max_in_flight=given.max_in_flight,
        max_body=given.max_body,
        max_line=given.max_line,
        wait_s=given.wait_within,
        call_s=given.call_within,
        ping_s=given.ping_within,
        start_s=given.start_within,
        drain_s=given.drain_within,
        stop_s=given.stop_within,
        linger_s=_told(parser, environment, LINGER),
        ends_at=_told(parser, environment, ENDS_AT),
    )


def _told(parser: argparse.ArgumentParser, environment: Mapping[str, str], name: str) -> float:
    """A number of the environment; 0 where it is not told."""
    try:
        number = float(environment.get(name) or 0)
    except ValueError:
        number = -1.0
    if not 0 <= number < float("inf"):
        parser.error(f"{name} must be a number of seconds")
    return number


def _parser() -> argparse.ArgumentParser:
    known = Options(command=(), token="")
    parser = argparse.ArgumentParser(
        prog="python -m bridge",
        description="Serve an MCP server that speaks over stdio at http://HOST:PORT/mcp (Streamable HTTP).",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--host", default=known.host, help=f"the address to listen on ({known.host})")
    add("--port", type=_port, default=known.port, help=f"the port to listen on ({known.port}); 0: any, see the log")
    add("--max-in-flight", type=_positive, default=known.max_in_flight, help=f"calls at once ({known.max_in_flight})")
    add("--max-body", type=_positive, default=known.max_body, help=f"bytes of a request ({known.max_body})")
    add("--max-line", type=_positive, default=known.max_line, help=f"bytes of an answer ({known.max_line})")
    add(
        "--wait-within", type=_seconds, default=known.wait_s, help=f"seconds for a server to begin ({known.wait_s:g})"
    )
    add("--call-within", type=_seconds, default=known.call_s, help=f"seconds for one call ({known.call_s:g})")
    add("--ping-within", type=_seconds, default=known.ping_s, help=f"seconds for a ping after it ({known.ping_s:g})")
    add("--start-within", type=_seconds, default=known.start_s, help=f"seconds for its start ({known.start_s:g})")
    add("--drain-within", type=_seconds, default=known.drain_s, help=f"seconds for running calls ({known.drain_s:g})")
    add("--stop-within", type=_seconds, default=known.stop_s, help=f"seconds for its end ({known.stop_s:g})")
    add("command", nargs=argparse.REMAINDER, metavar="-- COMMAND ARG...", help="what to run, after --")
    return parser


def from_this_process(arguments: Sequence[str]) -> Options:
    """Read the arguments and this process's own environment."""
    return options_from(arguments, os.environ)


def _port(text: str) -> int:
    number = int(text)
    if not 0 <= number <= 65535:
        raise argparse.ArgumentTypeError("a port is a number from 0 to 65535")
    return number


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("it must be at least 1")
    return number


def _seconds(text: str) -> float:
    number = float(text)
    if not 0 < number < 1e6:
        raise argparse.ArgumentTypeError("it must be a positive number of seconds")
    return number
