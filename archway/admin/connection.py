"""Which admin API a command talks to, and as whom.

ARCHWAY_ADMIN_URL and ARCHWAY_ADMIN_TOKEN, or else what `archway up` wrote into the state folder. A token is never an
argument: everybody on the machine can read those.
"""

import os
from pathlib import Path

from archway.admin_client import AdminApi
from archway.up.state import existing_state
from archway.up.up_file import read_up


class NoApi(Exception):
    """Nobody said where the admin API is."""


def connect(state: Path) -> AdminApi:
    """The admin API; raises NoApi."""
    url, token = os.environ.get("ARCHWAY_ADMIN_URL", ""), os.environ.get("ARCHWAY_ADMIN_TOKEN", "")
    if url or token:
        return _from_environment(url, token)
    up = read_up(existing_state(state))
    if not up:
        raise NoApi(
            f"nothing runs on {existing_state(state).root}; start `archway up`, name its folder with --state, "
            "or set ARCHWAY_ADMIN_URL and ARCHWAY_ADMIN_TOKEN"
        )
    return AdminApi(str(up["control_url"]), str(up["admin_token"]))


def _from_environment(url: str, token: str) -> AdminApi:
    if not url or not token:
        raise NoApi("ARCHWAY_ADMIN_URL and ARCHWAY_ADMIN_TOKEN belong together; one of them is not set")
    if not url.startswith(("http://", "https://")):
        raise NoApi("ARCHWAY_ADMIN_URL must begin with https:// or http://")
    return AdminApi(url, token)
