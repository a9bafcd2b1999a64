"""What makes the description of a server that we run one that can be saved, and what its own secrets may fill.

Called by `entry_rules.py`. What cannot run anywhere is refused while the person is there, at the field and with the
cure. Leaves out whether an image may be pulled and what the deployment allows, which are known where it runs.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from msgspec.structs import replace

from control.registry.arguments import MAX_ARGUMENT, argument_places
from control.registry.broken_rule import BrokenRule
from control.registry.idleness import FEWEST_MINUTES, MOST_MINUTES
from control.registry.images import check_image
from control.registry.override_text import MOST_CHARACTERS, runs_before
from control.registry.packages import check_chooses_no_code
from control.registry.quantities import check_resources
from control.registry.run_names import check_content, check_file, check_variable
from control.registry.self_hosted import SelfHosted
from control.registry.targets import Target

MAX_ARGUMENTS: Final = 64
MAX_VARIABLES: Final = 64
MAX_SECRETS: Final = 16
MAX_PULL_SECRETS: Final = 8
_PATH: Final = re.compile(r"/[A-Za-z0-9._~!$&'()*+,=:@/-]{0,254}")
_LOWEST_PORT: Final = 1_024


@dataclass(frozen=True, slots=True)
class CheckedRun:
    """A server that we run, as an entry may be saved with it."""

    run: SelfHosted
    places: tuple[str, ...]
    """Names of the answers that are arguments of its command."""
    taken: dict[Target, str]
    """The variables and files that the entry itself fills."""


def check_run(run: SelfHosted, secret_names: tuple[str, ...]) -> CheckedRun:
    """The checked description, or BrokenRule. `secret_names`: of the entry's own secrets."""
    _check_command(run)
    image = check_image(run.image) if run.image else ""
    if not 1 <= len(run.path) <= 255 or _PATH.fullmatch(run.path) is None:
        raise BrokenRule("run.path", "must be a path that begins with '/', such as /mcp, without '?' and '#'")
    if run.health_path and _PATH.fullmatch(run.health_path) is None:
        raise BrokenRule("run.health_path", "must be a path that begins with '/', such as /healthz, or empty")
    if run.transport == "stdio" and run.health_path:
        raise BrokenRule("run.health_path", "must be empty over stdio, where the bridge says whether it is well")
    if not _LOWEST_PORT <= run.port <= 65_535:
        raise BrokenRule(
            "run.port", f"must be {_LOWEST_PORT} to 65535: a server without privileges takes no lower one"
        )
    if len(run.pull_secrets) > MAX_PULL_SECRETS or len(set(run.pull_secrets)) != len(run.pull_secrets):
        raise BrokenRule("run.pull_secrets", f"must be at most {MAX_PULL_SECRETS}, each once")
    if run.pull_secrets and not image and not runs_before(run.override):
        raise BrokenRule("run.pull_secrets", "go with an image of your own; take them out for the base image")
    if run.idle_minutes and not FEWEST_MINUTES <= run.idle_minutes <= MOST_MINUTES:
        raise BrokenRule(
            "run.idle_minutes", f"must be {FEWEST_MINUTES} to {MOST_MINUTES}, or 0 for a server that is never ended"
        )
    if len(run.override) > MOST_CHARACTERS or "\0" in run.override:
        raise BrokenRule("run.override", f"must be text of at most {MOST_CHARACTERS} characters")
    check_resources(run.resources)
    places = argument_places(run.command)
    check_chooses_no_code(run.command)
    return CheckedRun(replace(run, image=image), places, _taken(run, secret_names))


def check_run_secrets(secrets: Mapping[str, str], mounted: tuple[str, ...]) -> dict[str, str]:
    """The entry's own secrets, sorted; BrokenRule names the variable or file, never its content."""
    if len(secrets) > MAX_SECRETS:
        raise BrokenRule("run_secrets", f"has {len(secrets)} secrets; at most {MAX_SECRETS} are allowed")
    for number, name in enumerate(secrets):
        # A name that is none is not repeated in the path: it may be a value that somebody put in the wrong place.
        _target(name, mounted, f"run_secrets[{number}]")
    return {name: check_content(secrets[name], f"run_secrets.{name}") for name in sorted(secrets)}


def _check_command(run: SelfHosted) -> None:
    if not run.command and not run.image:
        raise BrokenRule("run.command", "is needed with the base image, such as: npx -y @scope/server@1.2.3")
    if not run.command and run.transport == "stdio":
        raise BrokenRule(
            "run.command", "is needed over stdio: the bridge starts the program; give what the image would start"
        )
    if len(run.command) > MAX_ARGUMENTS:
        raise BrokenRule("run.command", f"has {len(run.command)} arguments; at most {MAX_ARGUMENTS} are allowed")
    for number, argument in enumerate(run.command):
        where = f"run.command[{number}]"
        if not argument.isprintable() or len(argument) > MAX_ARGUMENT:
            raise BrokenRule(where, f"must be one line of at most {MAX_ARGUMENT} characters")
    if run.command and (not run.command[0].strip() or run.command[0].startswith("-")):
        raise BrokenRule("run.command[0]", "must be the name of a program, such as npx")


def _taken(run: SelfHosted, secret_names: tuple[str, ...]) -> dict[Target, str]:
    if len(run.environment) > MAX_VARIABLES:
        raise BrokenRule(
            "run.environment", f"has {len(run.environment)} variables; at most {MAX_VARIABLES} are allowed"
        )
    for number, name in enumerate(run.environment):
        check_variable(name, f"run.environment[{number}]")
    for name, value in run.environment.items():
        if value:
            check_content(value, f"run.environment.{name}")
    taken = {Target("variable", name): "the entry's environment" for name in run.environment}
    for name in run.mounted:
        if name not in secret_names:
            raise BrokenRule(
                "run.mounted", f"names {name!r}, which is none of the entry's secrets; add it to run_secrets"
            )
    for name in secret_names:
        target = _target(name, run.mounted, "run_secrets")
        if target in taken:
            raise BrokenRule(f"run_secrets.{name}", "is in the entry's environment already; choose one")
        taken[target] = "the entry's secrets"
    return taken


def _target(name: str, mounted: tuple[str, ...], where: str) -> Target:
    return check_file(name, where) if name in mounted else check_variable(name, where)
