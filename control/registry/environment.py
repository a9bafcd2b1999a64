"""An environment: a place that entries are put into, perhaps restricted to those who hold a permission.

Made by `control/store/environments.py` of a row, and by nobody else. Who may put an entry there is decided in
`control/changes/environments.py`, and looked at again before its servers run by `control/servers/wanting.py`.
"""

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class NewEnvironment:
    """What an environment is made of, and what may be changed of it."""

    name: str
    restricted: bool = False
    """Whether only who holds `environment:deploy-to-restricted` puts entries into it, and takes them out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment(NewEnvironment):
    """An environment that is kept, with its identifier and version."""

    id: str
    created_at: datetime
    updated_at: datetime
    version: int


def told_of_environment(environment: Environment) -> dict[str, Any]:
    """All that people are told of an environment, in the words of the admin API."""
    return asdict(environment)
