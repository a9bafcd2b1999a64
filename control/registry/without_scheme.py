"""What somebody meant who entered an address without `https://`: a suggestion, never taken without being entered.

Called by `entry_rules.py` for a URL that was refused. Pure; asks no network.
"""

import re
from typing import Final

from core.egress.addresses import ANYWHERE, UrlRefused, check_url

_LOCAL: Final = re.compile(r"localhost$|[\d.]+$|\[")
_ADDRESS: Final = re.compile(
    r"(?P<host>[a-z0-9](?:[a-z0-9.-]{0,250}[a-z0-9])?|\[[0-9a-f:.]{2,45}\])(?P<port>:\d{1,5})?(?:/\S*)?",
    re.IGNORECASE,
)


def did_you_mean(text: str) -> str:
    """`; did you mean http://127.0.0.1:9541/mcp?` for `127.0.0.1:9541/mcp`; '' for what is no host with a path."""
    found = _ADDRESS.fullmatch(text.strip())
    if found is None:
        return ""
    host, port = found["host"].lower(), found["port"]
    if "." not in host and host != "localhost" and not host.startswith("[") and port is None:
        return ""
    meant = ("http" if _LOCAL.match(host) else "https") + "://" + text.strip()
    try:
        check_url(meant, ANYWHERE, purpose="url")
    except UrlRefused:
        return ""
    return f"; did you mean {meant}?"
