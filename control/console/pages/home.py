"""Home: what is to be done now. The gateways that one can call; to those who run the place, what is still missing."""

from dataclasses import dataclass

from aiohttp import web

from control.console.shown_gateways import visible_to
from control.console.visit import Visit
from control.registry.access import Caller
from control.store import browser_sessions, counts, passwords
from control.store.pool import Connection, transaction

_MOST_SHOWN = 6


@dataclass(frozen=True, slots=True)
class Beginning:
    """A step from an empty deployment to one that serves people."""

    title: str
    sentence: str
    done: bool
    path: str = ""
    link: str = ""
    command: str = ""
    also: tuple[str, str] | None = None
    """A second way: its path, and what its link says."""


async def show(visit: Visit) -> web.Response:
    """The page."""
    async with transaction(visit.pool, readonly=True) as connection:
        found = await visible_to(connection, visit.caller, visit.deps.public_url, limit=_MOST_SHOWN + 1)
        counted = await counts.counts(connection, visit.caller) if visit.caller.may("deployment:read") else None
        way_back = await _has_a_way_back(connection, visit)
    steps = [] if counted is None else beginning(visit.caller, counted)
    return visit.page(
        "home/home.html",
        gateways=found[:_MOST_SHOWN],
        more=len(found) > _MOST_SHOWN,
        steps=[] if all(one.done for one in steps) else steps,
        counted=counted,
        way_back=way_back,
    )


async def _has_a_way_back(connection: Connection, visit: Visit) -> bool:
    """Whether the person can sign in again by themselves: the link that they came with opens nothing any more."""
    session = await browser_sessions.one(connection, visit.visitor.session_id)
    if session is not None and session.method == "oidc":
        return True
    return await passwords.of_user(connection, visit.caller.user_id) is not None


def beginning(caller: Caller, counted: dict[str, int]) -> list[Beginning]:
    """The steps, with what is done; of those alone that the person may take."""
    steps = [
        (
            caller.may("entry:create"),
            Beginning(
                "Approve a server",
                "An entry says which MCP server may be used, and with whose credential.",
                counted["entries"] > 0,
                path="/registry/new",
                link="Add a server",
                command="archway entries create --slug time --name Time --url https://time.example.com/mcp",
            ),
        ),
        (
            caller.may("gateway:create"),
            Beginning(
                "Make a gateway",
                "A gateway shows chosen tools to chosen people at one address.",
                counted["gateways"] > 0,
                path="/gateways/new",
                link="Make a gateway",
                command="archway gateways create --slug sales --name Sales",
            ),
        ),
        (
            caller.may("user:create"),
            Beginning(
                "Let people in",
                "You give each person a link; they choose a password, or sign in with your identity provider.",
                counted["users"] > 1,
                path="/people/invite",
                link="Invite somebody",
                also=("/identity-providers", "Use an identity provider")
                if caller.may("identity_provider:create")
                else None,
            ),
        ),
        (
            True,
            Beginning(
                "Connect a client",
                "Claude, Cursor, VS Code and others call the tools at the gateway's address.",
                counted["tokens"] > 0,
                path="/my/connect",
                link="Connect",
            ),
        ),
    ]
    return [step for may, step in steps if may]
