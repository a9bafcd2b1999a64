"""The first things in a new deployment, made through the admin API as any client would: the demo's entry, an
installation of it for the whole organisation, a gateway with its tools, and a member with a token.

Each step looks before it makes, so that a start that was killed half-way is finished by the next. Once it is done it
is never done again: what people change or delete afterwards stays as they left it, and a later start looks what is
left before it shows any of it. Only the demo's address is kept in step with its port.

The token is for gateways, and a member's: people put it into desktop clients.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from archway.admin_client import AdminApi, get_or_none
from archway.private_files import read_json, write_json

ENTRY, GATEWAY = "time", "demo"
DEMO_USER = {"name": "Demo", "email": "demo@archway.invalid", "role": "member"}
"""Whose the first token is. No mail is ever sent, and RFC 2606 keeps the address from being anybody's."""
TOOL = "get_current_time"
ARGUMENTS = {"timezone": "Europe/Paris"}


@dataclass(frozen=True, slots=True)
class Setup:
    """What the first setup made, and all of it is still there."""

    gateway_path: str
    token: str
    tool: str


@dataclass(frozen=True, slots=True)
class Gone:
    """Something that a first call needs was taken away since; `what` is a sentence without its full stop."""

    what: str


def set_up(api: AdminApi, path: Path, demo_url: str) -> Setup | Gone:
    """Make what is missing; raises Problem or Unreachable. Blocks for a second at the first start."""
    kept = read_json(path)
    if kept.get("done"):
        _follow_demo(api, str(kept["entry"]), demo_url)
        return _look(api, kept)
    entry = _entry(api, demo_url)
    installation = _installation(api, entry)
    gateway = _gateway(api)
    tool = _assign(api, gateway, entry, installation)
    token = str(kept.get("token") or "") or _token(api)
    # The token is shown by the API once only; it is kept so that later starts can print it again.
    write_json(path, {"done": True, "entry": entry["id"], "gateway": gateway["id"], "tool": tool, "token": token})
    return Setup(f"/v1/mcp/{GATEWAY}", token, tool)


def finished(api: AdminApi, path: Path) -> Setup | Gone | None:
    """What is left of what an earlier start made; None where none ever made it. Raises Problem or Unreachable."""
    kept = read_json(path)
    return _look(api, kept) if kept.get("done") else None


def _look(api: AdminApi, kept: dict[str, Any]) -> Setup | Gone:
    gateway = get_or_none(api, f"/gateways/{kept['gateway']}")
    if gateway is None:
        return Gone("the demo gateway was deleted")
    token = api.post("/tokens/identify", {"token": str(kept["token"])}).get("token")
    if token is None:
        return Gone("the token of the first call was deleted")
    if token["state"] != "active":
        return Gone(f"the token of the first call is {token['state']}")
    names = _names(api, f"/gateways/{gateway['id']}/assignments")
    if kept["tool"] not in names:
        return Gone(f"the tool {kept['tool']} was taken off the demo gateway")
    return Setup(f"/v1/mcp/{gateway['slug']}", str(kept["token"]), str(kept["tool"]))


def _entry(api: AdminApi, demo_url: str) -> dict[str, Any]:
    found = _by(api, "/entries", "slug", ENTRY)
    if found is not None:
        return _follow_demo(api, str(found["id"]), demo_url) or found
    return api.post(
        "/entries",
        {
            "slug": ENTRY,
            "name": "Time",
            "description": "Current time and time zone conversion; the demo that `archway up` brings.",
            "url": demo_url,
            "credential_model": "none",
        },
    )


def _follow_demo(api: AdminApi, entry_id: str, demo_url: str) -> dict[str, Any] | None:
    """Point the entry to the demo's present port; None where it was deleted."""
    entry = get_or_none(api, f"/entries/{entry_id}")
    if entry is None or entry.get("url") == demo_url:
        return entry
    return api.patch(f"/entries/{entry_id}", {"url": demo_url})


def _installation(api: AdminApi, entry: dict[str, Any]) -> dict[str, Any]:
    made = next(
        (
            one
            for one in api.pages("/installations")
            if one["entry_id"] == entry["id"] and one["scope"] == "organisation"
        ),
        None,
    )
    if made is None:
        return api.post("/installations", {"entry_id": entry["id"], "name": "Time", "scope": "organisation"})
    if made.get("state") != "ready":
        api.post(f"/installations/{made['id']}/discover")
    return made


def _gateway(api: AdminApi) -> dict[str, Any]:
    found = _by(api, "/gateways", "slug", GATEWAY)
    if found is not None:
        return found
    return api.post("/gateways", {"slug": GATEWAY, "name": "Demo", "description": "The demo server's tools."})


def _assign(api: AdminApi, gateway: dict[str, Any], entry: dict[str, Any], installation: dict[str, Any]) -> str:
    path = f"/gateways/{gateway['id']}/assignments"
    if not (names := _names(api, path)):
        api.post(path, {"entry": entry["id"], "installation": installation["id"], "tools": ["*"]})
        names = _names(api, path)
    return next((name for name in names if name.endswith(TOOL)), f"{ENTRY}__{TOOL}")


def _names(api: AdminApi, path: str) -> list[str]:
    return [str(one["exposed_name"]) for one in api.pages(path)]


def _token(api: AdminApi) -> str:
    user = _by(api, "/users", "email", DEMO_USER["email"]) or api.post("/users", DEMO_USER)
    made = api.post("/tokens", {"name": "first call", "kind": "user", "user_id": user["id"]})
    return str(made["secret"])


def _by(api: AdminApi, path: str, name: str, value: str) -> dict[str, Any] | None:
    return next((one for one in api.pages(path) if one.get(name) == value), None)
