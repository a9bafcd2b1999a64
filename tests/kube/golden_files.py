"""The golden files: the objects of some servers as YAML, so that a change of what is applied is read before it lands.

`python -m tests.kube.golden_files` writes them again. What differs then restarts servers, or may.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from control.orchestrator.objects import objects_of
from control.servers.runtime import Refused
from tests.kube.egress_cases import CLUSTERS, MODES, policies_of
from tests.kube.wanted_servers import GOLDEN

FOLDER = Path(__file__).parent / "golden"
POLICIES = FOLDER / "egress"
"""Of each cluster and mode what confines a server, or why it is refused."""


class Plain(yaml.SafeDumper):
    """Writes equal parts twice instead of pointing at the first."""

    def ignore_aliases(self, data: object) -> bool:
        return True


def dumped(objects: Sequence[dict[str, Any]]) -> str:
    """Objects as YAML that reads well beside another."""
    return yaml.dump_all(objects, Dumper=Plain, sort_keys=True, width=118)


def golden_text(name: str) -> str:
    """What the file of this name should hold."""
    return dumped(objects_of(*GOLDEN[name]))


def golden_policies(cluster: str, mode: str) -> str:
    """What the file of these policies should hold."""
    try:
        made = policies_of(cluster, MODES[mode])
    except Refused as refused:
        made = [{"refused": refused.cause, "message": refused.message}]
    return yaml.dump_all(made, Dumper=Plain, sort_keys=True, width=118)


def main() -> None:
    POLICIES.mkdir(parents=True, exist_ok=True)
    for cluster in CLUSTERS:
        for mode in MODES:
            (POLICIES / f"{cluster}_{mode}.yaml").write_text(golden_policies(cluster, mode))
    for name in GOLDEN:
        (FOLDER / f"{name}.yaml").write_text(golden_text(name))


if __name__ == "__main__":
    main()
