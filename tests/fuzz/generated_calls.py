"""Calls by chance: a gateway, its servers, who has installed them and how those stand, who calls what, and how.

    case = generated(random.Random(7), seals)
    case.contents, case.rows("a1"), case.verdict, case.tool, case.arguments

Each part is what control's store would have read. Nothing is likely: what refuses is as frequent as what does not.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any, Final

from control.credentials.places import places_of
from control.credentials.resolution import ResolutionRows
from control.registry.account import Account, AccountTokens, place_of
from control.registry.caller_statement import CallerStatement
from control.registry.credential import (
    CREDENTIAL,
    ClientCredentials,
    Credential,
    ForOneCaller,
    IdentityAssertion,
    NoCredential,
    OAuthCredential,
    Passthrough,
    StaticCredential,
    TokenExchange,
)
from control.registry.entry import Entry, Remote
from control.registry.gateway import AssignedRoute, Gateway, GatewayContents, visibility_of
from control.registry.installation import Installation
from control.registry.owner import Organisation, Owner, Person, ServiceAccount, TeamOwner
from control.registry.row_seals import RowSeals
from control.registry.self_hosted import SelfHosted, what_runs
from core.resolve import CallerVerdict, Principal, Way
from tests.fakes.registry import a_gateway, a_server_state, an_account, an_entry, an_installation, assigned

URL: Final = "http://192.0.2.9/mcp"
ELSEWHERE: Final = "http://192.0.2.8/mcp"
ISSUER, AUDIENCE = "https://idp.test", "archway"
ALLOWED: Final = ("x-tenant", "x-request-source", "x-key")
_TEAMS: Final = ("t1", "t2")
_OWNERS: Final[tuple[Owner, ...]] = (
    Person("ada"), Person("bob"), TeamOwner("t1"), TeamOwner("t2"), Organisation(), ServiceAccount("bot"),
)  # fmt: skip
_CREDENTIALS: Final[tuple[Credential, ...]] = (
    NoCredential(),
    StaticCredential("bearer"),
    StaticCredential("header", "x-key"),
    OAuthCredential(),
    ClientCredentials(),
    TokenExchange("p1", "the-server"),
    IdentityAssertion("p1", "https://as.test", "archway"),
    Passthrough((AUDIENCE,)),
    Passthrough(("another",)),
)
_STATEMENTS: Final = (
    CallerStatement(request_id_header="x-request-id"),
    CallerStatement("headers", headers={"subject": "x-caller", "email": "x-caller-email", "teams": "x-tenant"}),
)
_SCHEMA: Final = {"type": "object", "properties": {"n": {"type": "integer"}}, "additionalProperties": False}


@dataclass(frozen=True)
class Case:
    """One call by chance, with all that decides about it."""

    contents: GatewayContents
    entries: dict[str, Entry]
    installations: tuple[Installation, ...]
    accounts: dict[str, Account]
    verdict: CallerVerdict
    principal: Principal
    by: Way
    tool: str
    arguments: dict[str, Any]
    can_keep: bool
    provider_gives: bool
    """Whether somebody who is asked for a token gives one."""

    def rows(self, assignment_id: str) -> ResolutionRows:
        """What the choice of an installation looks at."""
        one = next(one for one in self.contents.assigned if one.id == assignment_id)
        gateway, serving = self.contents.gateway, [i for i in self.installations if i.entry_id == one.entry_id]
        held = {i.id: self.accounts[i.id] for i in serving if i.id in self.accounts}
        names = {"t1": "Sales", "t2": "Ops"}
        return ResolutionRows(
            visibility_of(gateway), self.entries[one.entry_id], one.installation_id, serving, names, held
        )


def generated(chance: Random, seals: RowSeals) -> Case:
    """One case."""
    entries = {f"e{number}": _entry(chance, seals, f"e{number}") for number in (1, 2)}
    installations = tuple(one for entry in entries.values() for one in _installations(chance, seals, entry))
    accounts = {i.id: account for i in installations if (account := _account(chance, seals, entries[i.entry_id], i))}
    principal, by = _caller(chance)
    gateway = _gateway(chance)
    shown = tuple(_assigned(chance, number, entries, installations) for number in range(1, 4))
    tool, arguments = _asked(chance, gateway)
    issuer = ISSUER if gateway.identity_provider_id else ""
    return Case(
        GatewayContents(gateway, shown, issuer),
        entries,
        installations,
        accounts,
        _verdict(chance, principal, by),
        principal,
        by,
        tool,
        arguments,
        can_keep=_mostly(chance),
        provider_gives=chance.random() < 0.6,
    )


def _mostly(chance: Random) -> bool:
    return chance.random() < 0.85


def _caller(chance: Random) -> tuple[Principal, Way]:
    teams = frozenset(one for one in _TEAMS if chance.random() < 0.4)
    match chance.choice(("user", "user", "user", "team", "organisation", "service", "external")):
        case "user":
            by: Way = chance.choice(("token", "oauth", "id_jag", "jwt"))
            return Principal("user", "ada", "Ada", teams), by
        case "team":
            return Principal("team", "t1", "Sales", frozenset({"t1"})), "token"
        case "organisation":
            return Principal("organisation", "organisation", "everybody"), "token"
        case "service":
            return Principal("service", "bot", "Bot", frozenset([*teams][:1])), chance.choice(("oauth", "jwt"))
        case _:
            return Principal("external", "x1", "somebody", teams), "jwt"


def _verdict(chance: Random, principal: Principal, by: Way) -> CallerVerdict:
    auth: Any = {"token": "token", "jwt": "jwt"}.get(by, "oauth")
    told: dict[str, Any] = {"auth": auth, "by_assertion": by == "id_jag"}
    if chance.random() < 0.95:
        return CallerVerdict("", principal, **told)
    if by == "token" and chance.random() < 0.3:
        return CallerVerdict("", kept_out=principal)
    return CallerVerdict("", refusal=chance.choice(("revoked", "expired", "disabled", "unknown")), **told)


def _gateway(chance: Random) -> Gateway:
    kind = chance.choice(("organisation",) * 5 + ("teams",) * 2 + ("personal",))
    provider = _mostly(chance)
    return a_gateway(
        id="g1",
        slug="g",
        visibility=kind,
        teams=tuple(chance.sample(_TEAMS, chance.randint(1, 2))) if kind == "teams" else (),
        owner_id=chance.choice(("ada", "ada", "bob")) if kind == "personal" else None,
        header_allowlist=tuple(one for one in ALLOWED if chance.random() < 0.5),
        audit_required=chance.random() < 0.2,
        identity_provider_id="p1" if provider else None,
        identity_provider_audience=AUDIENCE if provider else "",
        takes_assertions=provider and chance.random() < 0.5,
        tool_loading=chance.choice(("all", "search_and_run")),
    )


def _assigned(
    chance: Random, number: int, entries: dict[str, Entry], installations: tuple[Installation, ...]
) -> AssignedRoute:
    entry = entries[chance.choice(list(entries))]
    pinnable = [one for one in installations if one.entry_id == entry.id]
    pinned = chance.choice(pinnable) if pinnable and chance.random() < 0.3 else None
    run = entry.reached if isinstance(entry.reached, SelfHosted) else None
    scope: Any = None
    if pinned is not None:
        scope = {Person: "personal", TeamOwner: "team", Organisation: "organisation"}.get(
            type(pinned.owner), "service"
        )
    gone = pinned is not None and chance.random() < 0.1
    return assigned(
        f"tool{number}",
        id=f"a{number}",
        definition={"name": "search", "inputSchema": _SCHEMA},
        upstream_name=f"own{number}",
        state=chance.choice(("active",) * 12 + ("quarantined", "held_back")),
        entry_id=entry.id,
        entry_slug=entry.slug,
        entry_kind="remote" if run is None else "self_hosted",
        installation_id=None if pinned is None else "gone" if gone else pinned.id,
        installation_scope=scope,
        passthrough=entry.passthrough,
        stdio=run is not None and run.transport == "stdio",
        for_one_caller=isinstance(entry.credential, ForOneCaller),
        tells_of_caller=entry.caller_statement is not None,
    )


def _asked(chance: Random, gateway: Gateway) -> tuple[str, dict[str, Any]]:
    name = chance.choice(("tool1", "tool2", "tool3") * 4 + ("nothing",))
    given: dict[str, Any] = chance.choice(({}, {"n": 1}, {"n": 2}, {"n": "x"}))
    if chance.random() < (0.5 if gateway.tool_loading == "search_and_run" else 0.05):
        return "run_tool", chance.choice(({"tool_name": name, "tool_args": given},) * 8 + ({"tool_name": 3}, {}))
    return name, given


def _entry(chance: Random, seals: RowSeals, entry_id: str) -> Entry:
    reached: Any = Remote(URL)
    credential = chance.choice(_CREDENTIALS)
    if chance.random() < 0.25:
        reached = SelfHosted(transport=chance.choice(("http", "stdio")), command=("run",))
        credential = chance.choice(_CREDENTIALS[:3])
    takes_headers = isinstance(reached, Remote) or reached.transport == "http"
    fixed = {"x-org": "acme", "x-key": "ours"} if chance.random() < 0.3 else {}
    kind = chance.choice(("organisation", "teams"))
    return an_entry(
        id=entry_id,
        slug=f"server-{entry_id}",
        name=f"Server {entry_id}",
        reached=reached,
        credential=credential,
        visibility=kind,
        teams=("t1",) if kind == "teams" else (),
        passthrough=_mostly(chance),
        caller_statement=chance.choice(_STATEMENTS) if takes_headers and chance.random() < 0.3 else None,
        fixed_headers=seals.fixed_headers(entry_id, fixed),
        fixed_header_names=tuple(fixed),
    )


def _installations(chance: Random, seals: RowSeals, entry: Entry) -> list[Installation]:
    made: list[Installation] = []
    for number, owner in enumerate(chance.sample(_OWNERS, chance.choice((0, 1, 2, 3, 4)))):
        installation_id = f"{entry.id}-i{number}"
        holds = isinstance(entry.credential, StaticCredential | ClientCredentials) and _mostly(chance)
        secrets = {CREDENTIAL: "a-secret"} if holds else {}
        runs = entry.reached if isinstance(entry.reached, SelfHosted) else None
        own = what_runs(runs) if runs is not None else URL
        one = an_installation(
            id=installation_id,
            entry_id=entry.id,
            entry_slug=entry.slug,
            entry_name=entry.name,
            name=f"Installation {number}",
            owner=owner,
            protocol="2026-07-28",
            state=chance.choice(("ready",) * 9 + ("needs_sign_in", "unreachable")),
            secret_values=seals.secret_values(installation_id, secrets),
            secret_names=tuple(secrets),
            bound_url=own if _mostly(chance) else ELSEWHERE,
            bound_places={name: place for name, place in places_of(entry).items() if name in secrets},
            plain_values={"client_id": "client"} if isinstance(entry.credential, ClientCredentials) else {},
            is_default=_mostly(chance),
            bridge_token=seals.bridge_token(installation_id, "bridge") if runs is not None else None,
            server_state=_state(chance, installation_id) if runs is not None else None,
        )
        made.append(_broken(one) if chance.random() < 0.03 else one)
    return made


def _broken(one: Installation) -> Installation:
    """One whose secrets open no more."""
    return replace(
        one, secret_values=b"\x01 not sealed by us at all, and long enough to be looked at", secret_names=()
    )


def _state(chance: Random, installation_id: str) -> Any:
    phase = chance.choice(("ready", "ready", "ready", "degraded", "starting", "pulling", "failed", None))
    if phase is None:
        return None
    at = URL if phase in {"ready", "degraded"} else ""
    cause = "exited" if phase == "failed" else ""
    return a_server_state(installation_id=installation_id, phase=phase, endpoint=at, cause=cause)


def _account(chance: Random, seals: RowSeals, entry: Entry, installation: Installation) -> Account | None:
    if not isinstance(entry.credential, OAuthCredential | ClientCredentials) or chance.random() < 0.25:
        return None
    now = datetime.now(UTC)
    account = an_account(
        installation_id=installation.id,
        place=place_of(entry, URL if _mostly(chance) else ELSEWHERE),
        client_id="client" if _mostly(chance) else "another",
        account_name="ada@server",
        expires_at=chance.choice((None, now + timedelta(hours=1), now - timedelta(hours=1))),
        refused_at=now if chance.random() < 0.15 else None,
    )
    tokens = AccountTokens("a-token", "a-refresh-token")
    return replace(account, tokens=seals.account_tokens(installation.id, account, tokens))
