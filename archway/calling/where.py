"""Which gateway a command talks to, and with which token.

ARCHWAY_TOKEN and ARCHWAY_PROXY_URL, or else what `archway up` wrote into the state folder. A token is never an
argument: everybody on the machine can read those. The token of the state folder goes to the gateways of that folder
and nowhere else, whatever URL was typed.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from archway.up.state import existing_state
from archway.up.up_file import read_up
from core.identifiers import SLUG, is_id

TOKEN, PROXY = "ARCHWAY_TOKEN", "ARCHWAY_PROXY_URL"
_PATH = "/v1/mcp/"
_WEB = ("https://", "http://")


class NoGateway(Exception):
    """Nobody said where the gateway is, or with which token; the sentence says what to set."""


@dataclass(frozen=True, slots=True)
class Where:
    """A gateway's URL and a token for it."""

    url: str
    token: str = field(repr=False)
    token_from: str
    """Where the token was taken from, for a sentence."""


def where(gateway: str, state: Path, environment: Mapping[str, str] = os.environ) -> Where:
    """The gateway that was named by its slug, its id or its whole URL; raises NoGateway."""
    folder = existing_state(state)
    up = read_up(folder)
    home = str(up.get("gateway_url") or "").partition(_PATH)[0] or str(up.get("proxy_url") or "")
    url = _url(gateway, environment.get(PROXY, "").rstrip("/") or home, folder.root)
    token = environment.get(TOKEN, "").strip()
    if token:
        return Where(url, token, TOKEN)
    if not up.get("gateway_token"):
        raise NoGateway(f"no token: set {TOKEN} to one for gateways (`archway tokens create` makes one)")
    ours = {f"{base}{_PATH}" for base in (home, str(up.get("proxy_url") or "")) if base}
    if not any(url.startswith(one) for one in ours):
        raise NoGateway(f"no token for {url}: set {TOKEN}; the one in {folder.root} is sent to {home} alone")
    return Where(url, str(up["gateway_token"]), str(folder.up))


def _url(gateway: str, base: str, root: Path) -> str:
    if gateway.startswith(_WEB):
        return gateway
    if not (SLUG.fullmatch(gateway) or is_id(gateway)):
        raise NoGateway(f"{gateway!r} is no gateway: give its slug or id, such as demo, or its whole URL")
    if not base:
        raise NoGateway(
            f"nothing runs on {root}; start `archway up`, name its folder with --state, set {PROXY} to the address "
            f"that gateways have, such as https://mcp.example.com, or give the gateway's whole URL"
        )
    if not base.startswith(_WEB):
        raise NoGateway(f"{PROXY} must begin with https:// or http://")
    return base + _PATH + gateway
