"""Which admin API a command talks to, and as whom.

ARCHWAY_ADMIN_URL and ARCHWAY_ADMIN_TOKEN, or else what `archway up` wrote into the state folder. A token is never an
argument: everybody on the machine can read those.
"""

import os
from pathlib import Path

from archway.admin_client import AdminApi, Problem, Unreachable
from archway.up.state import existing_state
from archway.up.up_file import read_up

URL, TOKEN = "ARCHWAY_ADMIN_URL", "ARCHWAY_ADMIN_TOKEN"


class NoApi(Exception):
    """Nobody said where the admin API is."""


def connect(state: Path) -> AdminApi:
    """The admin API; raises NoApi."""
    url, token = os.environ.get(URL, ""), os.environ.get(TOKEN, "")
    if url or token:
        return _from_environment(url, token)
    up = read_up(existing_state(state))
    if not up:
        raise NoApi(
            f"nothing runs on {existing_state(state).root}; start `archway up`, name its folder with --state, "
            "or set ARCHWAY_ADMIN_URL and ARCHWAY_ADMIN_TOKEN"
        )
    return AdminApi(str(up["control_url"]), str(up["admin_token"]))


def where_taken_from(why: Problem | Unreachable) -> str:
    """Where an address or a token that failed was taken from; '' where neither is the cause."""
    if not os.environ.get(URL):
        return ""
    if isinstance(why, Unreachable):
        return f"\nthe address is from {URL}"
    return f"\nthe token is from {TOKEN}, the address from {URL}" if why.status == 401 else ""


def _from_environment(url: str, token: str) -> AdminApi:
    if not url or not token:
        there, missing = (URL, TOKEN) if url else (TOKEN, URL)
        raise NoApi(f"{there} is set and {missing} is not; set both, or neither to use the state folder")
    if not url.startswith(("http://", "https://")):
        raise NoApi(f"{URL} must begin with https:// or http://")
    return AdminApi(url.rstrip("/").removesuffix("/api/v1"), token)
