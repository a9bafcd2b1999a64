"""Checks of the settings: every ARCHWAY_* variable by its name and its form, keys by what they are."""

import difflib
import os
from collections.abc import Iterator, Mapping
from functools import partial
from urllib.parse import urlsplit

import msgspec

from archway.doctor.environments import Given, Plane
from archway.doctor.finding import Finding, note
from archway.up.keys_file import KEY_NAMES, verify_keys
from core.egress.addresses import parse_networks
from core.keys import BadKey, KeyRing, new_key, parse_key_ring, refuse_repeats
from core.settings import BadSetting, host_port, load, variable
from core.signing import Verifier
from proxy.settings import ProxySettings, from_environment

OURS = {
    "ARCHWAY_STATE", "ARCHWAY_ADMIN_URL", "ARCHWAY_ADMIN_TOKEN", "ARCHWAY_PROXY_URL", "ARCHWAY_TOKEN",
    "ARCHWAY_WORKER_NUMBER",
}  # fmt: skip
"""Variables that no plane reads but a command does."""
_NO_EFFECT = "it has no effect"


def check_settings(environment: Mapping[str, str]) -> list[Finding]:
    """Findings about what is set; about what is not, see `check_needed`."""
    types = setting_types()
    findings: list[Finding] = []
    for name, text in sorted(environment.items()):
        if name in types:
            findings += _form(name, text, types[name])
        elif name.startswith("ARCHWAY_") and name not in OURS:
            findings.append(_unknown(name, types))
    findings += check_keys(environment)
    return findings + _together(environment, types, findings)


def unknown_settings(environment: Mapping[str, str]) -> list[Finding]:
    """Names that look like a setting of ours and are none."""
    return [finding for finding in check_settings(environment) if finding.why == _NO_EFFECT]


def _together(environment: Mapping[str, str], types: Mapping[str, object], known: list[Finding]) -> list[Finding]:
    """What is wrong only when settings are seen together, as each plane reads them.

    Whatever is wrong by itself is left out and whatever is not set has a stand-in, so that nothing is told twice.
    """
    from control.settings import ControlSettings

    told = " ".join(finding.what for finding in known)
    single = {name: text for name, text in environment.items() if name in types and name not in told}
    given = _stand_ins() | {name: text for name, text in single.items() if text.strip()}
    findings = []
    for read in (partial(load, ControlSettings), from_environment):
        try:
            read(given)
        except (BadSetting, BadKey) as why:
            findings.append(Finding(str(why)))
    return findings


def _stand_ins() -> dict[str, str]:
    keys = {name: new_key() for name in KEY_NAMES}
    return keys | {
        "ARCHWAY_VERIFY_KEYS": verify_keys(keys["ARCHWAY_SIGNING_KEY"]),
        "ARCHWAY_DATABASE_URL": "postgresql://database/archway",
        "ARCHWAY_REDIS_URL": "redis://redis",
        "ARCHWAY_PUBLIC_URL": "http://archway",
        "ARCHWAY_CONTROL_INTERNAL_URL": "http://control",
    }


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
    return findings


def check_needed(environment: Mapping[str, str]) -> list[Finding]:
    """What a plane lacks that it does not start without. A plane is meant where a key is set that it alone takes."""
    from control.settings import ControlSettings

    findings = []
    planes: tuple[tuple[type[msgspec.Struct], Plane], ...] = ((ControlSettings, "control"), (ProxySettings, "proxy"))
    for kind, plane in planes:
        if not Given("", environment).is_for(plane):
            continue
        needed = [variable(field.name) for field in msgspec.structs.fields(kind) if field.required]
        missing = ", ".join(name for name in needed if not environment.get(name, "").strip())
        if missing:
            why = f"`archway {plane}` does not start without"
            findings.append(Finding(f"not set: {missing}", why, "docs/operating/settings.md says what they are"))
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
        yield Finding(_takes(name, text.strip(), kind) or f"{name}: {why}", cure="correct it or unset it")
        return
    try:
        _special(name, text)
    except ValueError as why:
        yield Finding(str(why) if name in str(why) else f"{name}: {why}")


def _takes(name: str, text: str, kind: object) -> str:
    """What a number may be, and the value that is none; '' for other settings, whose values may be secret."""
    told = msgspec.inspect.type_info(kind)
    if not isinstance(told, msgspec.inspect.IntType | msgspec.inspect.FloatType):
        return ""
    words = "a whole number" if isinstance(told, msgspec.inspect.IntType) else "a number of seconds"
    bounds = (("from", told.ge), ("above", told.gt), ("to", told.le), ("below", told.lt))
    limits = [
        f"{word} {bound:g}" if bound < 10**6 else f"{word} {bound}" for word, bound in bounds if bound is not None
    ]
    return f"{name} must be {' '.join([words, *limits])}; got {text[:40]!r}"


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
    }.get(name, ("https", "http"))
    parts = urlsplit(text)
    if parts.scheme not in schemes:
        raise BadSetting(f"{name} must begin with {' or '.join(f'{scheme}://' for scheme in schemes)}")
    if parts.scheme != "unix" and not parts.hostname and not parts.query:
        raise BadSetting(f"{name} names no host")
    _ = parts.port  # raises ValueError for one that is none


def _unknown(name: str, known: Mapping[str, object]) -> Finding:
    near = difflib.get_close_matches(name, [*known, *OURS], 1)
    return Finding(
        f"{name} is not a setting of Archway", _NO_EFFECT, f"did you mean {near[0]}?" if near else "unset it"
    )
