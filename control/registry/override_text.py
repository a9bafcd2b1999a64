"""The text that an entry says over its server's Deployment, read for those who only look at parts of it. Pure.

What may be said is judged in `control/orchestrator/override/`; what cannot be read says nothing here.
"""

import json
from functools import lru_cache
from hashlib import sha256
from typing import Any, Final

from core.strict_yaml import NotStrict, Path, read_yaml

MOST_CHARACTERS: Final = 64 << 10
MOST_VALUES: Final = 4_000
"""Names and values in it: control, which reads it, does nothing else meanwhile."""
POD: Final[Path] = ("spec", "template", "spec")
_DIGITS: Final = 8
_OF_NODES: Final = ("nodeSelector", "tolerations")


def says_something(text: str) -> bool:
    """Whether it is more than blank lines and comments."""
    return any(line.strip() and not line.lstrip().startswith("#") for line in text.splitlines())


def written(path: Path) -> str:
    """A path as Kubernetes writes it."""
    text = ""
    for step in path:
        text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else step
    return text


def read_override(text: str, lines: dict[Path, int] | None = None) -> Any:
    """The text read, and where each value of it stands (`read_yaml`); raises NotStrict."""
    return read_yaml(text, lines, MOST_VALUES)


def pod_said(text: str, lines: dict[Path, int] | None = None) -> dict[str, Any]:
    """What is said of the pod, and in which lines, as `read_yaml` tells them."""
    try:
        found: Any = read_override(text, lines) if says_something(text) else {}
    except NotStrict:
        return {}
    for name in POD:
        found = found.get(name) if isinstance(found, dict) else None
    return found if isinstance(found, dict) else {}


def items_said(pod: dict[str, Any], name: str) -> list[dict[str, Any]]:
    """The items of a list of the pod's."""
    found = pod.get(name)
    return [one if isinstance(one, dict) else {} for one in found] if isinstance(found, list) else []


@lru_cache(maxsize=256)
def says_nodes(text: str) -> bool:
    """Whether it says anything of the nodes on which the pod runs."""
    return not pod_said(text).keys().isdisjoint(_OF_NODES)


@lru_cache(maxsize=256)
def runs_before(text: str) -> str:
    """A word for the programs that run in the pod before its server, another for others; '' for none.

    They may put other code where the server finds its own, so that secrets are given for them too.
    """
    said = pod_said(text).get("initContainers")
    if not said:
        return ""
    return sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()[:_DIGITS]
