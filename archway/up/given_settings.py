"""What `archway up` does with ARCHWAY_* variables that were set: checked before anything starts.

A bad one would otherwise show as a program that ends, tries again and ends. Called by launch.py; the checks
themselves are the doctor's.
"""

from collections.abc import Mapping

from archway.doctor.settings_check import check_settings, unknown_settings
from core.settings import BadSetting

_OWN = "`archway up` chooses it"
IGNORED = {
    "ARCHWAY_PROXY_LISTEN": "use --proxy-port",
    "ARCHWAY_ADMIN_LISTEN": "use --control-port",
    "ARCHWAY_WORKERS": "use --workers",
    "ARCHWAY_CONTROL_INTERNAL_LISTEN": _OWN,
    "ARCHWAY_CONTROL_PUBLIC_LISTEN": _OWN,
    "ARCHWAY_PROXY_INTERNAL_LISTEN": _OWN,
    "ARCHWAY_METRICS_LISTEN": _OWN,
    "ARCHWAY_CONTROL_INTERNAL_URL": _OWN,
    "ARCHWAY_CONTROL_PUBLIC_URL": _OWN,
    "ARCHWAY_PROXY_INTERNAL_URL": _OWN,
    "ARCHWAY_RUN_TOKEN_SHA256": _OWN,
    "ARCHWAY_VERIFY_KEYS": "it follows from ARCHWAY_SIGNING_KEY",
    "ARCHWAY_DISK_CACHE": "it lies in the state folder",
    "ARCHWAY_PROXY_FD": _OWN,
    "ARCHWAY_PROXY_INTERNAL_FD": _OWN,
    "ARCHWAY_METRICS_FILE": _OWN,
}
"""Settings of the planes that `archway up` makes itself, and what to do instead."""


def used(environment: Mapping[str, str]) -> dict[str, str]:
    """The environment without what `archway up` makes itself."""
    return {name: text for name, text in environment.items() if name not in IGNORED}


def check_given(environment: Mapping[str, str]) -> list[str]:
    """Sentences worth knowing; raises BadSetting with everything that keeps a plane from starting."""
    unknown = unknown_settings(environment)
    wrong = [one.what for one in check_settings(used(environment)) if one.wrong and one not in unknown]
    if wrong:
        raise BadSetting("\n".join([*wrong, "correct or unset this in the environment, then start again"]))
    notes = [f"{one.what}: {one.why}; {one.cure}" for one in unknown]
    ignored = sorted(name for name, text in environment.items() if name in IGNORED and text.strip())
    return notes + [f"{name} is ignored by `archway up`: {IGNORED[name]}" for name in ignored]
