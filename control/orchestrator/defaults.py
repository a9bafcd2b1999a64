"""What all servers of a deployment have in common in a cluster: where they run, and what their pods inherit."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Defaults:
    """Defaults of servers. Nothing in it depends on our version, so that an upgrade restarts no server."""

    instance_id: str
    """Of this Archway."""
    namespace: str
    """In which servers run whose environment names none."""
    proxies_namespace: str
    """In which our proxies run, who alone may call them."""
    base_image: str
    """Of servers that have none of their own."""
    name_key: bytes = field(repr=False)
    """With which names are made that change with a secret's content and tell nothing of it."""
    node_selector: Mapping[str, str] = field(default_factory=dict)
    tolerations: Sequence[Mapping[str, Any]] = ()
