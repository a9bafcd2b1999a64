"""What each program of `archway up` is told, and above all what it is not: a proxy never sees the secret key, the
signing key or the database; the demo sees nothing of ours."""

from collections.abc import Mapping
from dataclasses import dataclass

from archway.up.ports import LOOPBACK

CONTROL_ONLY = ("ARCHWAY_SECRET_KEY", "ARCHWAY_SIGNING_KEY", "ARCHWAY_DATABASE_URL", "ARCHWAY_RUN_TOKEN_SHA256")
LOOPBACK_NETWORKS = "127.0.0.0/8,::1/128"


@dataclass(frozen=True, slots=True)
class Ports:
    """The listeners of one run, all on loopback."""

    proxy: int
    control: int
    proxy_internal: int
    control_internal: int
    control_public: int
    metrics: int
    postgres: int
    redis: int
    demo: int


@dataclass(frozen=True, slots=True)
class Wiring:
    """Everything that the planes must agree on."""

    ports: Ports
    keys: Mapping[str, str]
    database_url: str
    redis_url: str
    run_token_sha256: str
    workers: int
    cache: str
    servers: str
    """Folder of the servers that run here."""


def control_environment(wiring: Wiring, given: Mapping[str, str]) -> dict[str, str]:
    """The control plane's."""
    return _shared(wiring, given) | {
        "ARCHWAY_DATABASE_URL": wiring.database_url,
        "ARCHWAY_SECRET_KEY": wiring.keys["ARCHWAY_SECRET_KEY"],
        "ARCHWAY_SIGNING_KEY": wiring.keys["ARCHWAY_SIGNING_KEY"],
        "ARCHWAY_RUN_TOKEN_SHA256": wiring.run_token_sha256,
        "ARCHWAY_ADMIN_LISTEN": _at(wiring.ports.control),
        "ARCHWAY_CONTROL_INTERNAL_LISTEN": _at(wiring.ports.control_internal),
        "ARCHWAY_CONTROL_PUBLIC_LISTEN": _at(wiring.ports.control_public),
        "ARCHWAY_PROXY_INTERNAL_URL": f"http://{_at(wiring.ports.proxy_internal)}",
        "ARCHWAY_RUNTIME": given.get("ARCHWAY_RUNTIME") or "process",
        "ARCHWAY_SERVERS_FOLDER": given.get("ARCHWAY_SERVERS_FOLDER") or wiring.servers,
    }


def proxy_environment(wiring: Wiring, given: Mapping[str, str]) -> dict[str, str]:
    """The supervisor's and its workers'."""
    told = _shared(wiring, given) | {
        "ARCHWAY_VERIFY_KEYS": wiring.keys["ARCHWAY_VERIFY_KEYS"],
        "ARCHWAY_CONTROL_INTERNAL_URL": f"http://{_at(wiring.ports.control_internal)}",
        "ARCHWAY_CONTROL_PUBLIC_URL": f"http://{_at(wiring.ports.control_public)}",
        "ARCHWAY_PROXY_LISTEN": _at(wiring.ports.proxy),
        "ARCHWAY_PROXY_INTERNAL_LISTEN": _at(wiring.ports.proxy_internal),
        "ARCHWAY_METRICS_LISTEN": _at(wiring.ports.metrics),
        "ARCHWAY_WORKERS": str(wiring.workers),
        "ARCHWAY_DISK_CACHE": wiring.cache,
    }
    return {name: value for name, value in told.items() if name not in CONTROL_ONLY}


def stranger_environment(given: Mapping[str, str]) -> dict[str, str]:
    """For programs that are not ours: nothing named ARCHWAY_."""
    return {name: value for name, value in given.items() if not name.startswith("ARCHWAY_")}


def public_url(ports: Ports, given: Mapping[str, str]) -> str:
    """The base of the gateways' URLs."""
    return given.get("ARCHWAY_PUBLIC_URL") or f"http://{_at(ports.proxy)}"


def _shared(wiring: Wiring, given: Mapping[str, str]) -> dict[str, str]:
    extra = given.get("ARCHWAY_UPSTREAM_NETWORKS")
    return {
        **given,
        "ARCHWAY_REDIS_URL": wiring.redis_url,
        "ARCHWAY_PROXY_KEY": wiring.keys["ARCHWAY_PROXY_KEY"],
        "ARCHWAY_PUBLIC_URL": public_url(wiring.ports, given),
        "ARCHWAY_UPSTREAM_NETWORKS": f"{LOOPBACK_NETWORKS},{extra}" if extra else LOOPBACK_NETWORKS,
        "PYTHONUNBUFFERED": "1",
    }


def _at(port: int) -> str:
    return f"{LOOPBACK}:{port}"
