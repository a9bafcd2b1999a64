"""Names in the place of identifiers, for people who read a table. Programs get what the API says."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final

from archway.admin_client import AdminApi, Problem

ORGANISATION = "organisation"
_NAMED_BY_THEIR_USER = {"session", "sign_in_link", "password"}
CALLERS = "the caller's"
"""Whose installation serves a call that is not pinned to one."""


@dataclass(slots=True)
class Names:
    """What objects are called, each asked for once; one that is gone, or not the asker's to see, keeps its id."""

    api: AdminApi
    known: dict[str, str] = field(default_factory=dict)

    def team(self, identifier: str) -> str:
        """A team's name."""
        return self._named(f"/teams/{identifier}", "name", identifier)

    def user(self, identifier: str) -> str:
        """A user's e-mail."""
        return self._named(f"/users/{identifier}", "email", identifier)

    def entry(self, identifier: str) -> str:
        """An entry's slug."""
        return self._named(f"/entries/{identifier}", "slug", identifier)

    def gateway(self, identifier: str) -> str:
        """A gateway's slug."""
        return self._named(f"/gateways/{identifier}", "slug", identifier)

    def client(self, identifier: str) -> str:
        """An OAuth client's name."""
        return self._named(f"/oauth-clients/{identifier}", "name", identifier)

    def environment(self, identifier: str) -> str:
        """An environment's name."""
        return self._named(f"/environments/{identifier}", "name", identifier)

    def preset(self, identifier: str) -> str:
        """An egress preset's name."""
        return self._named(f"/egress-presets/{identifier}", "name", identifier)

    def principal(self, told: str) -> str:
        """A caller or an owner, who is told as `user:ID`, `team:ID`, `service:ID` or `organisation`."""
        kind, _, number = told.partition(":")
        match kind:
            case "team":
                return f"team:{self.team(number)}"
            case "service":
                return f"service:{self.client(number)}"
            case "user":
                return self._named(f"/users/{number}", "email", told)
            case _:
                return told

    def _named(self, path: str, field_name: str, otherwise: str) -> str:
        if path not in self.known:
            try:
                self.known[path] = str(self.api.get(path).get(field_name) or otherwise)
            except Problem:
                self.known[path] = otherwise
        return self.known[path]


def with_owners(api: AdminApi, items: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Entries or gateways with `owner`, which says who sees them, and with the names of their teams."""
    names = Names(api)
    return [_with_owner(names, item) for item in items]


def _with_owner(names: Names, item: Mapping[str, Any]) -> dict[str, Any]:
    if item.get("team_id"):
        item = {**item, "team_id": names.team(str(item["team_id"]))}
    if item.get("environment_id"):
        item = {**item, "environment_id": names.environment(str(item["environment_id"]))}
    if item.get("placed_by"):
        item = {**item, "placed_by": names.user(str(item["placed_by"]))}
    if item.get("environments"):
        item = {**item, "environments": [names.environment(str(one)) for one in item["environments"]]}
    if item.get("visibility") == "teams":
        teams = [names.team(str(team)) for team in item.get("teams") or []]
        return {**item, "owner": ", ".join(teams), "teams": teams}
    owner = item.get("owner_id")
    return {**item, "owner": names.user(str(owner)) if owner else ORGANISATION}


_AMOUNTS: Final = ("resources", "quota")
"""Of an environment: 0 and nothing are how it says that it has no limit."""


def with_egress(api: AdminApi, items: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Environments with `egress_mode` and the names of their presets, and without amounts that they do not say."""
    names = Names(api)
    return [
        {
            **item,
            **{name: {of: much for of, much in (item.get(name) or {}).items() if much} for name in _AMOUNTS},
            "egress_mode": (item.get("egress") or {}).get("mode", "no policy"),
            "presets": [names.preset(str(one)) for one in item.get("presets") or []],
        }
        for item in items
    ]


def with_token_owners(_: AdminApi, items: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Tokens whose owner is the organisation say so."""
    return [{**item, "owner": item.get("owner") or ORGANISATION} for item in items]


def with_pins(_: AdminApi, items: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Assignments that say whose installation serves a call."""
    return [{**item, "installation_name": item.get("installation_name") or CALLERS} for item in items]


SERVER_WORDS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "pending": "about to start",
        "pulling": "pulling its image",
        "degraded": "runs as before",
        "failed": "does not run",
        "asleep": "asleep until a call",
    }
)
"""How a server that Archway runs does, where the word of its phase says it less well."""


def with_standings(_: AdminApi, items: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Installations with how they stand, why, and what helps, each by itself and in words."""
    return [_with_standing(item) for item in items]


def _with_standing(item: Mapping[str, Any]) -> dict[str, Any]:
    told, runs = item.get("standing") or {}, item.get("runs") or {}
    words, cause, cure = str(told.get("word", "")).replace("_", " "), told.get("cause", ""), told.get("cure", "")
    if runs.get("phase", "ready") != "ready" and not words.startswith("needs"):
        words = SERVER_WORDS.get(runs["phase"], runs["phase"])
        cause, cure = f"{runs['sentence']} {runs['message']}".strip(), runs["cure"]
    return {**item, "standing": words, "cause": cause, "cure": cure}


def with_users(api: AdminApi, items: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Browser sessions with the e-mail of whoever is signed in."""
    names = Names(api)
    return [{**item, "user": names.user(str(item["user_id"]))} for item in items]


def with_objects(api: AdminApi, items: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Lines of the audit trail with what the object was called at that time, or whose it is."""
    names = Names(api)
    return [{**item, "object": _object_of(names, item)} for item in items]


def _object_of(names: Names, line: Mapping[str, Any]) -> str:
    object_ = line.get("after") or line.get("before") or {}
    if line.get("object_kind") in _NAMED_BY_THEIR_USER:
        return names.user(str(object_.get("user_id") or ""))
    if line.get("action") == "discover":  # tells of what was found, through which installation: ENTRY@OWNER
        return str(object_.get("installation") or "").partition("@")[0]
    if line.get("action") == "explain":
        return (
            f"{names.gateway(str(line.get('object_id')))} {object_.get('tool', '')} as {object_.get('subject', '')}"
        )
    if line.get("object_kind") == "tool" and object_.get("entry"):
        return f"{object_['entry']}/{object_.get('name', '')}"
    return _called(object_)


def with_callers_and_servers(api: AdminApi, records: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Records of calls with the names of the caller, the gateway, the server, and of whose credential it got."""
    names = Names(api)
    return [_with_names(names, one) for one in records]


def _with_names(names: Names, record: Mapping[str, Any]) -> dict[str, Any]:
    gateway, entry = str(record.get("gateway_id") or ""), str(record.get("entry_id") or "")
    return {
        **record,
        "principal": _caller(names, record),
        "gateway": names.gateway(gateway) if gateway else record.get("gateway_asked") or "",
        "server": names.entry(entry) if entry else "",
        "credential": _credential(names, record),
    }


def _caller(names: Names, record: Mapping[str, Any]) -> str:
    """Who called; somebody without an account, and a job, as their provider calls them."""
    name, subject = names.principal(str(record["principal"])), record.get("subject")
    if not subject or name.startswith("user:"):
        return name
    return f"{subject} at {record['issuer']}" if name.startswith("external:") else f"{name} for {subject}"


def _credential(names: Names, record: Mapping[str, Any]) -> str:
    """Whose credential a call got, and the account at the server's provider that acted with it."""
    owner = names.principal(str(record.get("installation_owner") or ""))
    return f"{owner} as {record['account']}" if record.get("account") else owner


def _called(object_: Mapping[str, Any]) -> str:
    return next(
        (str(object_[name]) for name in ("email", "exposed_name", "address", "slug", "name") if object_.get(name)), ""
    )
