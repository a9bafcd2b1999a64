"""What an admin is told of a server that we run beside what is refused: what may be another one at each start.

Called where an entry is shown. What was fetched in the end is told by each installation's state
(`server_state.py`). Pure.
"""

from control.registry.entry import Entry
from control.registry.images import image_of
from control.registry.packages import package_of
from control.registry.self_hosted import SelfHosted
from control.registry.server_state import Place
from core.egress.rules import EgressRules

_UNTOLD = frozenset({"", "latest"})
"""Tags that say nothing of a version."""


def run_warnings(entry: Entry, place: Place | None = None) -> list[str]:
    """Sentences; none for a server that runs elsewhere, and for one that is the same at each start. `place`: where
    servers run here; None for nowhere.
    """
    if not isinstance(entry.reached, SelfHosted):
        return []
    found, run = [], entry.reached
    package = package_of(run.command)
    if package is not None and not package.pinned:
        found.append(
            f"The package {package.spec} has no exact version: each start may run another one, which nobody has "
            f"looked at. Write one, as in {package.example}."
        )
    if entry.held is not None and place == "process":
        found.append(
            f"The egress policy of the environment {entry.held.environment} is not enforced for it: it runs as a "
            "process and shares this machine's network."
        )
    elif package is not None and entry.held is not None and _names_no_host(entry.held.rules):
        found.append(
            f"It brings {package.spec} at each start, and the egress policy of the environment "
            f"{entry.held.environment} allows no host by name: it starts only where its registry is in a network "
            "that is allowed. Allow the registry's host there, or take an image that has the package."
        )
    image = image_of(run.image) if run.image else None
    if image is not None and not image.digest and image.tag in _UNTOLD:
        found.append(
            f"The image {run.image} has no version: each pull may be another one, which nobody has looked at. Name a "
            "tag, or better a digest: NAME@sha256:..."
        )
    return found


def _names_no_host(rules: EgressRules) -> bool:
    return rules.mode != "all" and not rules.has_domains
