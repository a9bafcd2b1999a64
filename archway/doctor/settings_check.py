"""Checks of the settings: every ARCHWAY_* variable by its name and its form, keys by what they are."""

import difflib
import os
from collections.abc import Iterator, Mapping
from urllib.parse import urlsplit

import msgspec

from archway.doctor.finding import Finding, note
from archway.up.keys_file import KEY_NAMES
from core.addresses import parse_networks
from core.keys import BadKey, KeyRing, parse_key_ring, refuse_repeats
from core.settings import BadSetting, host_port, variable
from core.signing import Verifier
from proxy.settings import ProxySettings

OURS = {"ARCHWAY_STATE", "ARCHWAY_ADMIN_URL", "ARCHWAY_ADMIN_TOKEN", "ARCHWAY_WORKER_NUMBER"}
"""Variables that no plane reads but a command does."""


def check_settings(environment: Mapping[str, str]) -> list[Finding]:
    """Findings about what is set; what is not set has a default or is asked for by the plane itself."""
    types = setting_types()
    findings: list[Finding] = []
    for name, text in sorted(environment.items()):
        if name in types:
            findings += _form(name, text, types[name])
        elif name.startswith("ARCHWAY_") and name not in OURS:
            findings.append(_unknown(name, types))
    return findings + check_keys(environment)


def check_keys(environment: Mapping[str, str]) -> list[Finding]:
    """Short, weak or repeated keys, and public halves that do not belong to the signing key."""
    findings: list[Finding] = []
    rings: dict[str, KeyRing] = {}
    for name in KEY_NAMES:
        if not environment.get(name):
            continue
        try:
            rings[name] = parse_key_ring(name, environment[name])
        except BadKey as why:
            findings.append(Finding(str(why)))
    try:
        refuse_repeats(rings)
        if environment.get("ARCHWAY_VERIFY_KEYS"):
            Verifier("ARCHWAY_VERIFY_KEYS", environment["ARCHWAY_VERIFY_KEYS"])
    except (BadKey, ValueError) as why:
        findings.append(Finding(str(why)))
    if rings and len(rings) < len(KEY_NAMES) and environment.get("ARCHWAY_DATABASE_URL"):
        missing = ", ".join(name for name in KEY_NAMES if name not in rings and not environment.get(name))
        if missing:
            findings.append(Finding(f"{missing} is not set", "control does not start without", "`archway keys new`"))
    return findings


def setting_types() -> dict[str, object]:
    """Every variable that a plane reads, with its field's type."""
    from control.settings import ControlSettings

    return {
        variable(field.name): field.type
        for kind in (ProxySettings, ControlSettings)
        for field in msgspec.structs.fields(kind)
    }


def _form(name: str, text: str, kind: object) -> Iterator[Finding]:
    if not text.strip():
        yield note(f"{name} is set but empty", "it counts as not set")
        return
    parts = text.split(",") if kind == tuple[str, ...] else None
    try:
        msgspec.convert(parts or text.strip(), kind, strict=False)
    except msgspec.ValidationError as why:
        yield Finding(f"{name}: {why}", cure="correct it or unset it")
        return
    try:
        _special(name, text)
    except ValueError as why:
        yield Finding(str(why) if name in str(why) else f"{name}: {why}")


def _special(name: str, text: str) -> None:
    field = name.removeprefix("ARCHWAY_").lower()
    if field.endswith("_listen"):
        host_port(field, text)
    elif field.endswith("_url"):
        for one in text.split(","):
            _url(name, one.strip())
    elif field in {"upstream_networks", "trusted_proxies"}:
        parse_networks(text)
    elif field == "ca_bundle" and not os.access(text, os.R_OK):
        raise BadSetting(f"{name}: no readable file {text}")


def _url(name: str, text: str) -> None:
    schemes = {
        "ARCHWAY_DATABASE_URL": ("postgresql", "postgres"),
        "ARCHWAY_REDIS_URL": ("redis", "rediss", "unix"),
    }.get(name, ("http", "https"))
    parts = urlsplit(text)
    if parts.scheme not in schemes:
        raise BadSetting(f"{name} must begin with {schemes[0]}://")
    if parts.scheme != "unix" and not parts.hostname and not parts.query:
        raise BadSetting(f"{name} names no host")
    _ = parts.port  # raises ValueError for one that is none


def _unknown(name: str, known: Mapping[str, object]) -> Finding:
    near = difflib.get_close_matches(name, [*known, *OURS], 1)
    return Finding(
        f"{name} is no setting of Archway", "it has no effect", f"did you mean {near[0]}?" if near else "unset it"
    )
