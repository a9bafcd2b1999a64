"""What is started for one server: pure, of what is wanted of it and where it lies.

A server over stdio stands behind the bridge, which listens in its place. One over HTTP listens itself: on the port
that the variable PORT names.
"""

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from control.processes.layout import SECRETS
from control.registry.run_names import FOLDER
from control.servers.wanted import WantedServer
from core.bridge_terms import ENDS_AT, SECRET_NAMES, TOKEN

LOOPBACK = "127.0.0.1"
_INHERITED = (
    "LANG", "LC_ALL", "TZ",
    "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "all_proxy", "no_proxy",
    "SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "NODE_EXTRA_CA_CERTS", "UV_NATIVE_TLS",
)  # fmt: skip
"""What `npx` and `uvx` need to get at their registries from here; nothing else of ours is a server's business."""
_PATIENCE = {"npm_config_fetch_retry_mintimeout": "1000", "npm_config_fetch_retry_maxtimeout": "5000"}
"""Milliseconds: an npm that does not reach its registry says so after seconds, not after more than a minute. It is
started again anyway."""
_MIRRORS = ("npm_config_registry", "NPM_CONFIG_REGISTRY", "UV_DEFAULT_INDEX", "UV_INDEX_URL", "PIP_INDEX_URL")


@dataclass(frozen=True, slots=True)
class Started:
    """Command line and environment of one server, before it is confined."""

    command: tuple[str, ...]
    environment: Mapping[str, str]


def started(wanted: WantedServer, home: Path, port: int, ours: Mapping[str, str], secrets: str = SECRETS) -> Started:
    """What to start; `ours` is the environment of control, `secrets` the folder in its home that has its files."""
    # In a pod they are in FOLDER; words that name it are changed.
    files = str(home / secrets)

    def placed(text: str) -> str:
        return text.replace(FOLDER, files)

    own = {name: placed(value) for name, value in {**wanted.environment, **wanted.secret_environment}.items()}
    environment = _basics(home, ours) | own
    command = tuple(placed(word) for word in wanted.command)
    if wanted.transport == "http":
        return Started(command, environment | {"PORT": str(port), "HOST": LOOPBACK})
    bridge = (sys.executable, "-P", "-m", "bridge", "--host", LOOPBACK, "--port", str(port), "--", *command)
    told = {TOKEN: wanted.bridge_token, SECRET_NAMES: ",".join(wanted.secret_environment)}
    if wanted.ends_at:
        told[ENDS_AT] = f"{wanted.ends_at:.0f}"
    return Started(bridge, environment | told)


def endpoint(wanted: WantedServer, port: int) -> str:
    """Where proxies call it."""
    return f"http://{LOOPBACK}:{port}{wanted.path}"


def _basics(home: Path, ours: Mapping[str, str]) -> dict[str, str]:
    kept = {name: ours[name] for name in _INHERITED if name in ours}
    # The address of a mirror may hold a password, which is not a server's.
    kept |= {name: ours[name] for name in _MIRRORS if "@" not in ours.get(name, "@")}
    beside = str(Path(sys.executable).parent)
    path = os.pathsep.join((ours.get("PATH") or os.defpath, beside))
    return kept | _PATIENCE | {"PATH": path, "HOME": str(home), "TMPDIR": str(home / "tmp"), "PYTHONUNBUFFERED": "1"}
